import type { Rollout } from '../../../src/domain/rollout/rollout.ts';
import type { Machine } from './machine.ts';
import { BrokenRule } from './broken-rule.ts';

/** So long may it take until what everybody can see is seen, and until it is written down, ms. */
const PATIENCE_MS = 8_000;
/** A controller that was killed or stopped is back by then, ms. */
const BACK_AGAIN_MS = 60_000;

/**
 * Sees to it that a bad release is taken back in whatever its rollout waits for: the next step, a person, the end of the
 * window. What visitors met proves it; how the engine comes to know of that is the engine's to see to.
 */
export class BadReleases {
  readonly #machine: Machine;
  /** Since when a rollout has been proven bad in its phase. */
  readonly #since = new Map<string, number>();
  #troubledAt = -Infinity;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Something keeps the engine from seeing, or from acting. */
  trouble(now: number): void {
    this.#troubledAt = now;
  }

  /** `calm`: nothing goes wrong by malice, and somebody visits. */
  async look(now: number, calm: boolean): Promise<void> {
    const { edge, storeAway, diskFull, confused } = this.#machine;
    const fair = calm && !edge.down && !storeAway && !diskFull && confused.size === 0;
    const bad = fair && now - this.#troubledAt > BACK_AGAIN_MS ? edge.bad() : new Set<string>();
    if (bad.size === 0) {
      this.#since.clear();
      return;
    }
    const rollouts = await this.#machine.store.rollouts({ project: 'shop', environment: 'production' });
    const proven = rollouts.filter((each) => isJudged(each) && bad.has(each.id));
    const names = new Set(proven.map(nameOf));
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name);
    for (const each of proven) {
      const since = this.#since.get(nameOf(each)) ?? now;
      this.#since.set(nameOf(each), since);
      if (now - since > PATIENCE_MS)
        throw new BrokenRule('a bad release is taken back, whatever its rollout waits for', {
          id: each.id,
          phase: each.phase,
          paused: each.paused,
          reason: each.reason,
          verdicts: Object.values(each.analysis).map(({ verdict }) => verdict?.verdict),
        });
    }
  }
}

const isJudged = ({ end, phase, kind }: Rollout): boolean =>
  end === null && kind === 'deploy' && (phase === 'canary' || phase === 'watching');

const nameOf = ({ id, phase, step }: Rollout): string => `${id} ${phase} ${step}`;
