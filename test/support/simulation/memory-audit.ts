import { createHash } from 'node:crypto';
import { GENESIS, link } from '../../../src/domain/audit/chain.ts';
import type { Anchor, AuditContent, AuditEntry } from '../../../src/domain/audit/entry.ts';
import { checkpointOf } from '../../../src/domain/audit/retention.ts';
import type { AuditFilter, AuditStore } from '../../../src/ports/audit-store.ts';
import type { IdempotencyStore, KeyName, KnownKey } from '../../../src/ports/idempotency-store.ts';

type Transaction = <T>(act: () => T) => Promise<T>;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The part of the memory store that keeps what was asked for. */
export function memoryAudit(transaction: Transaction, write: Transaction): AuditStore {
  let entries: AuditEntry[] = [];
  let count = 0;
  const head = (): Anchor | null => {
    const last = entries.at(-1);
    return last === undefined ? null : { seq: last.seq, hash: last.hash };
  };
  const append = (contents: readonly AuditContent[]): Anchor | null => {
    for (const content of contents) {
      if (entries.some(({ id }) => id === content.id)) continue;
      entries.push(Object.freeze(link({ seq: count++, hash: head()?.hash ?? GENESIS }, content, sha256)));
    }
    return head();
  };
  const matches =
    ({ who, operation, organization, project, environment, from, to, within }: AuditFilter) =>
    (each: AuditEntry): boolean =>
      (who ?? each.who) === each.who &&
      (operation ?? each.operation) === each.operation &&
      (organization ?? each.organization) === each.organization &&
      (project ?? each.project) === each.project &&
      (environment ?? each.environment) === each.environment &&
      each.at >= (from ?? -Infinity) &&
      each.at < (to ?? Infinity) &&
      (within === undefined ||
        (each.organization === null ? within.rest : within.organizations.includes(each.organization)));
  return {
    appendAudit: (contents) => write(() => append(contents)),
    auditHead: () => transaction(head),
    auditEntries: ({ after, limit, ...filter }) =>
      transaction(() =>
        entries
          .filter(({ seq }) => seq > after)
          .filter(matches(filter))
          .slice(0, limit),
      ),
    auditActs: ({ before = Infinity, limit, result, ...filter }) =>
      transaction(() =>
        entries
          .toReversed()
          .filter(({ kind, seq }) => kind !== 'answered' && seq < before)
          .filter(matches(filter))
          .map((asked) => ({ asked, answered: entries.find(({ about }) => about === asked.id) ?? null }))
          .filter(
            ({ asked, answered }) => result === undefined || result === (answered?.result ?? asked.result ?? 'unknown'),
          )
          .slice(0, limit),
      ),
    cutAudit: ({ before, ...checkpoint }) =>
      write(() => {
        const kept = entries.findIndex(({ at }) => at >= before);
        const last = entries.at(kept === -1 ? -1 : kept - 1);
        if (last === undefined || kept === 0) return { cut: 0, head: head() };
        const cut = entries.filter(({ seq }) => seq <= last.seq).length;
        append([checkpointOf({ seq: last.seq, hash: last.hash }, checkpoint)]);
        entries = entries.filter(({ seq }) => seq > last.seq);
        return { cut, head: head() };
      }),
  };
}

/** The part that keeps the answers to calls with a key. */
export function memoryKeys(write: Transaction): IdempotencyStore {
  const keys = new Map<string, KnownKey>();
  const nameOf = ({ who, key }: KeyName): string => JSON.stringify([who, key]);
  const held = (name: KeyName & { fence: number }): KnownKey | null => {
    const known = keys.get(nameOf(name));
    return known?.fence === name.fence && known.answer === null ? known : null;
  };
  return {
    claimKey: (claim) =>
      write(() => {
        const known = keys.get(nameOf(claim));
        if (known !== undefined) return { claimed: false, known };
        keys.set(nameOf(claim), { ...claim, answer: null });
        return { claimed: true };
      }),
    takeOverKey: (known, fence) =>
      write(() => {
        const mine = held(known);
        if (mine !== null) keys.set(nameOf(known), { ...mine, fence });
        return mine !== null;
      }),
    answerKey: (name, answer) =>
      write(() => {
        const mine = held(name);
        if (mine !== null) keys.set(nameOf(name), { ...mine, answer });
      }),
    releaseKey: (name) => write(() => void (held(name) !== null && keys.delete(nameOf(name)))),
    forgetKeys: (before) =>
      write(() => {
        const old = [...keys].filter(([, { at }]) => at < before);
        for (const [name] of old) keys.delete(name);
        return old.length;
      }),
  };
}
