import type { EdgeStats } from '../../domain/traffic/stats.ts';
import type { EdgeLog } from '../log.ts';
import type { BadEvent } from './evidence-journal.ts';
import { removeOtherJournals } from './evidence-journal.ts';
import { EpochStore } from './epoch-store.ts';
import type { Life } from './life-file.ts';
import { countersIn, journalsIn, OwnCounts } from './own-counts.ts';

/** What a worker beside this process counted, as it tells it when it is asked. */
export interface Told {
  readonly life: Life;
  /** Requests that wait now, by service. */
  readonly held: Readonly<Record<string, number>>;
  /** Bad events that it could not write down, by rollout. */
  readonly unwritten: Readonly<Record<string, readonly BadEvent[]>>;
}

/** Everything that is counted: by this process, by workers beside it, by those before it, and by one that still drains. */
export class Statistics {
  readonly own: OwnCounts;
  readonly #store: EpochStore;
  readonly #journals: string;

  constructor(folder: string, log: EdgeLog) {
    this.#store = new EpochStore(countersIn(folder), log);
    this.own = new OwnCounts(folder, this.#store.file, log, true);
    this.#journals = journalsIn(folder);
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  /** Forgets the evidence of all other rollouts. */
  keepRollouts(rollouts: ReadonlySet<string>): void {
    this.own.keepRollouts(rollouts, (evidence) => evidence.remove());
    this.#store.keepArms(rollouts);
    removeOtherJournals(this.#journals, rollouts);
  }

  /** `now`: wall time. What is reported is in a file before: it is never taken back by a crash. */
  async report(now: number, heldBy: (key: string) => number, told: readonly Told[] = []): Promise<EdgeStats> {
    const own = await this.own.save();
    const totals = this.#store.total(
      own,
      told.map(({ life }) => life),
    );
    const { epoch } = this.#store;
    const sequence = this.#store.nextSequence();
    for (const { unwritten } of told)
      for (const [rollout, events] of Object.entries(unwritten)) this.own.evidence.get(rollout)?.take(events);
    const heldElsewhere = (key: string): number => told.reduce((sum, { held }) => sum + (held[key] ?? 0), 0);
    return {
      epoch,
      sequence,
      at: now,
      releases: totals.releases,
      services: totals.services.map((counts) => ({ ...counts, held: heldBy(counts.key) + heldElsewhere(counts.key) })),
      evidence: [...this.own.evidence.values()].map((evidence) => evidence.report(epoch, sequence, totals)),
      unrouted: totals.unrouted,
    };
  }
}
