import type { Digest } from '../../domain/audit/chain.ts';
import type { AuditContent } from '../../domain/audit/entry.ts';
import { DAY_MS, isCutDue } from '../../domain/audit/retention.ts';
import { verifier, type Verification } from '../../domain/audit/verify.ts';
import type { AuditAnchor, UnwrittenAudit } from '../../ports/audit.ts';
import { described } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import { isAbsence } from '../emergency/reads.ts';
import { AnchorKeeper } from './anchor-keeper.ts';
import type { Hurry } from './hurry.ts';

/** Entries of a chain that are read at once. */
const PAGE = 1_000;

export interface AuditorDeps extends Pick<EngineDeps, 'store' | 'clock' | 'log' | 'newId'> {
  unwritten: UnwrittenAudit;
  anchor: AuditAnchor;
  digest: Digest;
  hurry: Hurry;
  /** How long entries are kept. */
  days: number;
}

/** Writes the chain, keeps what cannot be written at present, and looks through it. */
export interface Auditor {
  /**
   * Returns when the entries are on the disk: in the chain, or, while the store is away, in a file that gets there when it
   * is back. With `hurry` a store that does not answer is not waited for. Throws what the store said when neither took them.
   */
  write(contents: readonly AuditContent[], options: { hurry: boolean }): Promise<void>;
  /** Puts into the chain what was asked for while the store was away, if it is back. */
  reconcile(): Promise<void>;
  verify(): Promise<Verification>;
  /** Cuts off what is too old. */
  forget(): Promise<void>;
}

export function createAuditor(deps: AuditorDeps): Auditor {
  const { store, unwritten, clock, log } = deps;
  const anchors = new AnchorKeeper(deps);
  let reconciling: Promise<void> | null = null;
  /** Nothing is cut while somebody looks. */
  let looking: Promise<unknown> = Promise.resolve();

  async function append(contents: readonly AuditContent[], hurry: boolean): Promise<void> {
    // What was asked for before stands before.
    await broughtIn();
    const head = await store.appendAudit(contents, { lastResort: hurry });
    if (head !== null) anchors.advance(head);
  }

  async function write(contents: readonly AuditContent[], { hurry }: { hurry: boolean }): Promise<void> {
    try {
      await (hurry ? deps.hurry(() => append(contents, true)) : append(contents, false));
    } catch (error) {
      if (!isAbsence(error)) throw error;
      // Those that get into the chain all the same are known there by their ids.
      await unwritten.add(contents).catch((why: unknown) => {
        log.error({}, `the audit cannot be written: ${described(error)}; nor in the home: ${described(why)}`);
        throw error;
      });
    }
  }

  function broughtIn(): Promise<void> {
    if (reconciling === null && unwritten.isEmpty()) return Promise.resolve();
    reconciling ??= bringIn().finally(() => (reconciling = null));
    return reconciling;
  }

  async function bringIn(): Promise<void> {
    const waiting = await unwritten.take();
    const head = await store.appendAudit(waiting);
    await unwritten.taken();
    log.info({ entries: waiting.length }, 'the audit has what was asked for while the store was away');
    if (head !== null) anchors.advance(head);
  }

  async function verify(): Promise<Verification> {
    // The anchor first: what is appended meanwhile is behind it.
    const chain = verifier(deps.digest, await anchors.read());
    for (let after = 0; ;) {
      const page = await store.auditEntries({ after, limit: PAGE });
      for (const entry of page) chain.feed(entry);
      after = page.at(-1)?.seq ?? after;
      if (page.length < PAGE) return chain.end();
    }
  }

  async function forget(): Promise<void> {
    const now = clock.now();
    const [oldest] = await store.auditEntries({ after: 0, limit: 1 });
    if (oldest === undefined || !isCutDue(oldest.at, now, deps.days)) return;
    const before = now - deps.days * DAY_MS;
    const { cut, head } = await store.cutAudit({ before, id: deps.newId(), at: now, days: deps.days });
    if (head !== null) anchors.advance(head);
    if (cut > 0) log.info({ entries: cut }, `entries of the audit that are older than ${deps.days} days were cut off`);
  }

  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = looking.then(work);
    looking = done.catch(() => undefined);
    return done;
  };
  async function reconcile(): Promise<void> {
    try {
      await broughtIn();
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }

  return { write, reconcile, verify: () => alone(verify), forget: () => alone(forget) };
}
