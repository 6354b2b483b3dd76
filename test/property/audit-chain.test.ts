import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { link } from '../../src/domain/audit/chain.ts';
import type { Anchor, AuditContent, AuditEntry } from '../../src/domain/audit/entry.ts';
import { checkpointOf } from '../../src/domain/audit/retention.ts';
import { verifier, type Verification } from '../../src/domain/audit/verify.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom('ann', '', '\0', 'null'));
const perhaps = fc.option(text);
const content: fc.Arbitrary<AuditContent> = fc.record({
  id: fc.uuid(),
  at: fc.nat(),
  kind: fc.constantFrom('asked', 'answered'),
  about: perhaps,
  identity: text,
  who: text,
  source: text,
  operation: text,
  organization: perhaps,
  project: perhaps,
  environment: perhaps,
  service: perhaps,
  rollout: perhaps,
  result: fc.option(fc.constantFrom('done', 'refused', 'failed')),
  code: perhaps,
  detail: fc.json(),
});

function chainOf(contents: readonly AuditContent[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const each of contents) entries.push(link(entries.at(-1) ?? null, each, sha256));
  return entries;
}

const anchorOf = (entries: readonly AuditEntry[]): Anchor | null => {
  const last = entries.at(-1);
  return last === undefined ? null : { seq: last.seq, hash: last.hash };
};

function look(entries: readonly AuditEntry[], anchor: Anchor | null): Verification {
  const looking = verifier(sha256, anchor);
  for (const entry of entries) looking.feed(entry);
  return looking.end();
}

const chain = (least: number) =>
  fc.array(content, { minLength: least, maxLength: 8 }).map((contents) => chainOf(contents));

/** One of a chain's entries, by where it stands. */
const within = (least: number) =>
  chain(least).chain((entries) =>
    fc.record({ entries: fc.constant(entries), at: fc.nat({ max: entries.length - 1 }) }),
  );

/** Cut before the entry at `at`, behind a checkpoint, as the store does it. */
function cut(entries: readonly AuditEntry[], at: number): AuditEntry[] {
  const last = entries[at];
  if (last === undefined) return [...entries];
  const checkpoint = checkpointOf(last, { id: 'cut', at: 0, days: 1 });
  return [...entries, link(anchorOf(entries), checkpoint, sha256)].slice(at + 1);
}

describe('a chain of entries', () => {
  test('that nobody has touched holds, whole and cut', () => {
    fc.assert(
      fc.property(within(1), fc.boolean(), ({ entries, at }, whole) => {
        const now = whole ? entries : cut(entries, at);
        expect(look(now, anchorOf(now))).toMatchObject({ entries: now.length, found: 0 });
        // The anchor may be late by what a controller wrote before it died.
        expect(look(now, anchorOf(entries)).found).toBe(0);
      }),
    );
  });

  test('shows any change of any field of any entry', () => {
    const fields = fc.constantFrom(...(Object.keys(chainOf([blank()])[0] ?? {}) as (keyof AuditEntry)[]));
    fc.assert(
      fc.property(within(1), fields, fc.oneof(text, fc.nat(), fc.constant(null)), ({ entries, at }, field, value) => {
        const entry = entries[at];
        fc.pre(entry !== undefined && !Object.is(entry[field], value));
        const changed = entries.with(at, { ...entry, [field]: value });
        const { found, findings } = look(changed, anchorOf(entries));
        expect(found).toBeGreaterThan(0);
        // It says which: the entry itself, or the border to its neighbour.
        if (field !== 'seq') expect(findings[0]?.seq).toBeOneOf([entry?.seq, (entry?.seq ?? 0) + 1]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('shows a change whose maker has put the hash right, by the entry that follows or by the anchor', () => {
    fc.assert(
      fc.property(within(1), content, ({ entries, at }, other) => {
        const forged = link(entries[at - 1] ?? null, other, sha256);
        fc.pre(forged.hash !== entries[at]?.hash);
        expect(look(entries.with(at, forged), anchorOf(entries)).found).toBeGreaterThan(0);
        // Written anew from there to the end it is a chain again, and only the anchor knows better.
        const anew = [...entries.slice(0, at), forged];
        for (const { seq: _, former: _f, hash: _h, ...each } of entries.slice(at + 1))
          anew.push(link(anchorOf(anew), each, sha256));
        expect(look(anew, anchorOf(entries)).findings).toMatchObject([{ fault: 'rewritten', seq: entries.length }]);
      }),
    );
  });

  test('shows what is missing, wherever it was, and names it', () => {
    fc.assert(
      fc.property(within(1), ({ entries, at }) => {
        const { findings } = look(entries.toSpliced(at, 1), anchorOf(entries));
        expect(findings).toMatchObject([{ fault: 'missing', seq: at + 1, what: expect.stringContaining(`${at + 1}`) }]);
      }),
    );
  });

  test('shows a beginning that is missing without a checkpoint, or further than it says', () => {
    fc.assert(
      fc.property(within(2), ({ entries, at }) => {
        fc.pre(at < entries.length - 1);
        expect(look(entries.slice(at + 1), anchorOf(entries)).found).toBe(1);
        const shorter = cut(entries, at);
        expect(look(shorter.slice(1), anchorOf(shorter)).found).toBe(1);
      }),
    );
  });

  test('shows a beginning that is not what the checkpoint has cut before', () => {
    fc.assert(
      fc.property(within(2), ({ entries, at }) => {
        fc.pre(at < entries.length - 1);
        const anew: AuditEntry[] = [];
        for (const { seq, former: _, hash: _h, ...each } of cut(entries, at))
          anew.push(link(anchorOf(anew) ?? { seq: seq - 1, hash: 'f'.repeat(64) }, each, sha256));
        expect(look(anew, null).findings).toMatchObject([{ fault: 'missing', seq: 1 }]);
      }),
    );
  });

  test('shows entries that were put in, written twice, or put in another order', () => {
    fc.assert(
      fc.property(within(2), content, ({ entries, at }, other) => {
        const anchor = anchorOf(entries);
        const added = link(entries[at - 1] ?? null, other, sha256);
        expect(look(entries.toSpliced(at, 0, added), anchor).found).toBeGreaterThan(0);
        expect(look(entries.toSpliced(at, 0, ...entries.slice(at, at + 1)), anchor).found).toBeGreaterThan(0);
        const next = (at + 1) % entries.length;
        const [one, two] = [entries[at], entries[next]];
        fc.pre(one !== undefined && two !== undefined);
        expect(look(entries.with(at, two).with(next, one), anchor).found).toBeGreaterThan(0);
        // Also when they were given each other's place.
        const renumbered = entries.with(at, { ...two, seq: one.seq }).with(next, { ...one, seq: two.seq });
        expect(look(renumbered, anchor).found).toBeGreaterThan(0);
      }),
    );
  });

  test('tells no more of a chain of which nothing is right than people read', () => {
    const entries = chainOf(Array.from({ length: 500 }, blank));
    const { found, findings } = look(
      entries.map((each) => ({ ...each, who: 'eve' })),
      anchorOf(entries),
    );
    expect([found, findings.length]).toEqual([500, 100]);
  });
});

function blank(): AuditContent {
  const none = {
    about: null,
    organization: null,
    project: null,
    environment: null,
    service: null,
    rollout: null,
    code: null,
  };
  const who = { identity: 'local', who: 'ann', source: 'socket' };
  return { id: 'a', at: 0, kind: 'asked', operation: 'down', result: null, detail: '{}', ...none, ...who };
}
