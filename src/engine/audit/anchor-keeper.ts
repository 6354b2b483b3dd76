import type { Anchor } from '../../domain/audit/entry.ts';
import type { AuditAnchor } from '../../ports/audit.ts';
import type { AuditStore } from '../../ports/audit-store.ts';
import { described } from '../../ports/errors.ts';
import type { Log } from '../deps.ts';

/**
 * Keeps the anchor at the end of the chain. Nobody waits for that: an anchor that is late says less, and nothing wrong.
 * Where the chain does not hold what the anchor says, it stays where it is: it is the witness.
 */
export class AnchorKeeper {
  readonly #deps: { store: Pick<AuditStore, 'auditEntries'>; anchor: AuditAnchor; log: Log };
  #refused = false;
  #highest = 0;
  #next: Anchor | null = null;
  #writing: Promise<void> | null = null;

  constructor(deps: { store: Pick<AuditStore, 'auditEntries'>; anchor: AuditAnchor; log: Log }) {
    this.#deps = deps;
  }

  /** As it is when all that was asked for is written. */
  async read(): Promise<Anchor | null> {
    await this.#writing;
    return this.#deps.anchor.read();
  }

  advance(head: Anchor): void {
    if (this.#refused || head.seq <= this.#highest) return;
    this.#highest = head.seq;
    this.#next = head;
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  async #write(): Promise<void> {
    const { anchor, log } = this.#deps;
    try {
      for (let next = this.#next; next !== null; next = this.#next) {
        this.#next = null;
        if (!(await this.#holds())) {
          this.#refused = true;
          log.error({}, 'the audit is not what the anchor file says: `evenkeel audit verify` tells more');
          return;
        }
        await anchor.write(next);
      }
    } catch (error) {
      log.warn({}, `the anchor of the audit could not be written: ${described(error)}`);
    }
  }

  /** Whether the chain has the entry that the anchor names; one that was cut off since is no longer asked for. */
  async #holds(): Promise<boolean> {
    const { anchor, store } = this.#deps;
    const known = await anchor.read();
    if (known === null) return true;
    const [[entry], [oldest]] = await Promise.all([
      store.auditEntries({ after: known.seq - 1, limit: 1 }),
      store.auditEntries({ after: 0, limit: 1 }),
    ]);
    if (entry?.seq === known.seq) return entry.hash === known.hash;
    return oldest !== undefined && oldest.seq > known.seq;
  }
}
