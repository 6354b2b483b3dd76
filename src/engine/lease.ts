import type { Clock } from '../ports/clock.ts';
import { described } from '../ports/errors.ts';
import type { Lease, Store } from '../ports/store.ts';
import type { Log } from './deps.ts';

/** Of the lease: how often it is renewed, and from when on its holder acts no more; what it began then ends in time. */
const RENEW_AT = 0.25;
const ACT_UNTIL = 0.8;
/** How often one that stands by looks, ms; a holder that leaves is followed within that. */
const LOOK_MS = 250;

export interface LeaseDeps {
  store: Pick<Store, 'lease' | 'takeLease' | 'renewLease' | 'giveUpLease' | 'actAs'>;
  clock: Clock;
  /** Time that only grows, ms, whatever is done to the wall clock. */
  elapsed(): number;
  log: Log;
  /** Unique for this life of this controller. */
  holder: string;
  /** Who it is, for the others. */
  about: string;
  leaseMs: number;
  /** Whether whoever says so of himself is known to be dead: then his lease need not run out. */
  isDead(about: string): boolean;
}

/** What a controller that acts holds. */
export interface Tenure {
  readonly fence: number;
  /** Whether the lease holds at this moment, as far as can be known without asking. */
  holds(): boolean;
  /** Renews it again and again until the signal fires; resolves before that with false when another one has taken it. */
  keep(signal: AbortSignal): Promise<boolean>;
  giveUp(): Promise<void>;
}

/** A lease is counted from before it was asked for, so it ends here before it ends in the store. */
class LeaseTenure implements Tenure {
  readonly fence: number;
  readonly #deps: LeaseDeps;
  #since: { elapsed: number; wall: number };

  constructor(deps: LeaseDeps, fence: number, since: { elapsed: number; wall: number }) {
    this.#deps = deps;
    this.fence = fence;
    this.#since = since;
  }

  /** By both clocks: one stands still while the machine is suspended, the other may be set. */
  holds(): boolean {
    const { elapsed, wall } = moment(this.#deps);
    const age = Math.max(elapsed - this.#since.elapsed, wall - this.#since.wall);
    return age < this.#deps.leaseMs * ACT_UNTIL;
  }

  async keep(signal: AbortSignal): Promise<boolean> {
    const { store, clock, holder, leaseMs, log } = this.#deps;
    const { fence } = this;
    let failed = false;
    while (!signal.aborted) {
      await clock.sleep(leaseMs * RENEW_AT, signal);
      if (signal.aborted) break;
      const asked = moment(this.#deps);
      try {
        const held = await within(clock, leaseMs / 2, store.renewLease({ holder, fence, ms: leaseMs }));
        if (held === false) return false;
        if (held === true) this.#since = asked;
        failed = false;
      } catch (error) {
        if (!failed) log.warn({ fence }, `the lease could not be renewed: ${described(error)}`);
        failed = true;
      }
    }
    return true;
  }

  giveUp(): Promise<void> {
    this.#since = { elapsed: -Infinity, wall: -Infinity };
    return this.#deps.store.giveUpLease({ holder: this.#deps.holder, fence: this.fence });
  }
}

/** Stands by until the lease can be had, and takes it. Null when the signal fires before that. */
export async function awaitLease(
  deps: LeaseDeps,
  signal: AbortSignal,
  told: (lease: Lease) => void = () => undefined,
): Promise<{ tenure: Tenure; former: Lease | null } | null> {
  const { store, clock, holder, about, leaseMs, log } = deps;
  for (let failed = false; !signal.aborted;) {
    try {
      const former = await store.lease();
      const dead = former !== null && former.leftMs > 0 && deps.isDead(former.about) ? { dead: former.fence } : {};
      if (former === null || former.leftMs <= 0 || 'dead' in dead) {
        const asked = moment(deps);
        const taken = await store.takeLease({ holder, about, ms: leaseMs, ...dead });
        if (taken.taken) {
          store.actAs(taken.fence);
          return { tenure: new LeaseTenure(deps, taken.fence, asked), former };
        }
      } else told(former);
      failed = false;
    } catch (error) {
      if (!failed) log.warn({}, `the lease could not be asked for: ${described(error)}`);
      failed = true;
    }
    await clock.sleep(LOOK_MS, signal);
  }
  return null;
}

const moment = ({ elapsed, clock }: LeaseDeps): { elapsed: number; wall: number } => ({
  elapsed: elapsed(),
  wall: clock.now(),
});

/** Null: no answer in time. The answer may still come, and does no harm: what is asked for can be asked again. */
async function within<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T | null> {
  const enough = new AbortController();
  const late = clock.sleep(ms, enough.signal).then(() => null);
  try {
    return await Promise.race([answer, late]);
  } finally {
    enough.abort();
    answer.catch(() => undefined);
  }
}
