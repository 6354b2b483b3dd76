import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AuditContent } from '../../src/domain/audit/entry.ts';
import { verifier, type Verification } from '../../src/domain/audit/verify.ts';
import type { Store } from '../../src/ports/store.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const DAY = 86_400_000;

const anAct = (id: string, over: Partial<AuditContent> = {}): AuditContent => ({
  id,
  at: 1_700_000_000_000,
  kind: 'asked',
  about: null,
  identity: 'local',
  who: 'ann',
  source: 'socket',
  operation: 'deploy',
  organization: 'default',
  project: 'chat',
  environment: 'production',
  service: null,
  rollout: null,
  result: null,
  code: null,
  detail: '{}',
  ...over,
});
const anAnswer = (about: string, over: Partial<AuditContent> = {}): AuditContent =>
  anAct(`${about}-answer`, { kind: 'answered', about, result: 'done', ...over });

async function verified(store: Store): Promise<Verification> {
  const looking = verifier(sha256, null);
  for (const entry of await store.auditEntries({ after: 0, limit: 10_000 })) looking.feed(entry);
  return looking.end();
}

/** The chain of what was asked for, and the answers that are given again. */
export function auditSuite(the: () => Store): void {
  describe('audit', () => {
    test('is a chain that holds, whatever the texts in it are', async () => {
      expect(await the().auditHead()).toBeNull();
      const odd = `O'Brien "; drop table audit; -- 🚢 \0 \ud800 \n,=1+1`;
      const first = await the().appendAudit([anAct('a', { who: odd, detail: JSON.stringify({ odd }) }), anAnswer('a')]);
      const head = await the().appendAudit([anAct('b', { at: 0, service: odd })]);
      expect(first?.seq).toBe(2);
      expect(await the().auditHead()).toEqual(head);
      expect(await verified(the())).toMatchObject({ entries: 3, first: 1, head, findings: [] });
      const [kept] = await the().auditEntries({ after: 0, limit: 1 });
      expect(JSON.parse(kept?.detail ?? '')).toEqual({ odd });
    });

    test('does not fork when many append at once, and has each entry once', async () => {
      const many = Array.from({ length: 20 }, (_, index) => [anAct(`a${index % 15}`), anAnswer(`a${index % 15}`)]);
      await Promise.all(many.map((each) => the().appendAudit(each)));
      expect(await verified(the())).toMatchObject({ entries: 30, head: { seq: 30 }, findings: [] });
    });

    test('is refused to a controller that has been overtaken', async () => {
      const fence = await the().nextFence();
      the().actAs(fence);
      await the().appendAudit([anAct('a')]);
      await the().nextFence();
      const late = { code: 'store-fenced' };
      await expect(the().appendAudit([anAct('b')])).rejects.toMatchObject(late);
      await expect(the().cutAudit({ before: 1e15, id: 'c', at: 0, days: 1 })).rejects.toMatchObject(late);
      const claim = { who: 'ann', key: 'k', operation: 'deploy', content: 'c', at: 0, fence };
      await expect(the().claimKey(claim)).rejects.toMatchObject(late);
      expect(await verified(the())).toMatchObject({ entries: 1, findings: [] });
    });

    test('lists acts with what came of them, newest first, by who, what, where, when and how', async () => {
      await the().appendAudit([
        anAct('a', { at: 1 }),
        anAct('b', { at: 2, who: 'ben', operation: 'down' }),
        anAnswer('a', { at: 3 }),
        anAct('c', { at: 4, environment: 'staging' }),
        anAnswer('c', { at: 5, result: 'refused', code: 'forbidden' }),
      ]);
      const ids = async (query: Omit<Parameters<Store['auditActs']>[0], 'limit'>, limit = 10): Promise<string[]> =>
        (await the().auditActs({ ...query, limit })).map(({ asked }) => asked.id);
      expect(await ids({})).toEqual(['c', 'b', 'a']);
      expect(await ids({}, 2)).toEqual(['c', 'b']);
      expect(await ids({ before: 2 })).toEqual(['a']);
      expect(await ids({ who: 'ben' })).toEqual(['b']);
      expect(await ids({ operation: 'deploy', project: 'chat', environment: 'production' })).toEqual(['a']);
      expect(await ids({ from: 2, to: 4 })).toEqual(['b']);
      await the().appendAudit([
        anAct('x', { organization: 'acme', at: 6 }),
        anAct('y', { organization: null, at: 7 }),
        anAct('z', { organization: 'other', at: 8 }),
      ]);
      expect(await ids({ organization: 'acme' })).toEqual(['x']);
      expect(await ids({ within: { organizations: ['acme', 'other'], rest: false } })).toEqual(['z', 'x']);
      expect(await ids({ within: { organizations: ['acme'], rest: true }, from: 6 })).toEqual(['y', 'x']);
      expect(await ids({ within: { organizations: [], rest: true } })).toEqual(['y']);
      expect(await ids({ within: { organizations: [], rest: false } })).toEqual([]);
      expect(await ids({ within: { organizations: ['acme'], rest: false }, organization: 'default' })).toEqual([]);
      const entries = await the().auditEntries({
        within: { organizations: ['acme'], rest: false },
        after: 0,
        limit: 9,
      });
      expect(entries.map(({ id, organization }) => [id, organization])).toEqual([['x', 'acme']]);
      expect(await ids({ result: 'done' })).toEqual(['a']);
      expect(await ids({ result: 'refused' })).toEqual(['c']);
      expect(await ids({ result: 'unknown', to: 6 })).toEqual(['b']);
      const [act] = await the().auditActs({ to: 6, limit: 1 });
      expect(act?.answered).toMatchObject({ id: 'c-answer', code: 'forbidden' });
    });

    test('is cut at its beginning behind a checkpoint, and still holds', async () => {
      await the().appendAudit([anAct('a', { at: DAY }), anAct('b', { at: 9 * DAY }), anAct('c', { at: 2 * DAY })]);
      const cut = { before: 3 * DAY, id: 'cut', at: 10 * DAY, days: 7 };
      expect(await the().cutAudit(cut)).toMatchObject({ cut: 1, head: { seq: 4 } });
      expect(await the().cutAudit({ ...cut, id: 'again' })).toMatchObject({ cut: 0, head: { seq: 4 } });
      expect(await verified(the())).toMatchObject({ entries: 3, first: 2, findings: [] });
      expect((await the().cutAudit({ ...cut, id: 'all', before: 1e15 })).cut).toBe(3);
      await the().appendAudit([anAct('d')]);
      expect(await verified(the())).toMatchObject({ entries: 2, first: 5, findings: [] });
      expect((await the().auditActs({ result: 'done', limit: 5 })).map(({ asked }) => asked.id)).toEqual(['all']);
    });
  });

  describe('keys', () => {
    const claim = { who: 'ann', key: 'k', operation: 'deploy', content: 'c', at: 5, fence: 1 };
    const held = { who: 'ann', key: 'k', fence: 1 };

    test('are had by one of many, and each has keys of their own', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, () => the().claimKey(claim)));
      expect(all.filter(({ claimed }) => claimed)).toHaveLength(1);
      expect(await the().claimKey({ ...claim, who: 'ben' })).toEqual({ claimed: true });
    });

    test('have the first answer for good', async () => {
      await the().claimKey(claim);
      await the().answerKey({ ...held, fence: 2 }, '"of another controller"');
      await the().answerKey(held, '"first"');
      await the().answerKey(held, '"second"');
      await the().releaseKey(held);
      const known = { ...claim, answer: '"first"' };
      expect(await the().claimKey({ ...claim, content: 'other', fence: 9 })).toEqual({ claimed: false, known });
      expect(await the().takeOverKey(known, 9)).toBe(false);
    });

    test('can be given back, or taken over from one that is gone, by one', async () => {
      await the().claimKey(claim);
      await the().releaseKey(held);
      expect(await the().claimKey(claim)).toEqual({ claimed: true });
      const known = { ...claim, answer: null };
      const taken = await Promise.all([the().takeOverKey(known, 7), the().takeOverKey(known, 8)]);
      expect(taken.filter(Boolean)).toHaveLength(1);
    });

    test('are forgotten by their age', async () => {
      await the().claimKey(claim);
      await the().claimKey({ ...claim, key: 'later', at: 6 });
      expect(await the().forgetKeys(6)).toBe(1);
      expect(await the().claimKey({ ...claim, key: 'later' })).toMatchObject({ claimed: false });
      expect(await the().claimKey(claim)).toEqual({ claimed: true });
    });
  });
}
