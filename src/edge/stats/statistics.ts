import { join } from 'node:path';
import type { EdgeStats } from '../../domain/traffic/stats.ts';
import type { EdgeLog } from '../log.ts';
import { CounterBook } from './counters.ts';
import { EpochStore } from './epoch-store.ts';
import type { LifeCounts } from './life-counts.ts';
import { NO_COUNTS } from './life-counts.ts';
import { RolloutEvidence } from './evidence.ts';
import { EvidenceJournal, removeOtherJournals } from './evidence-journal.ts';

const SAVE_MS = 1_000;
/** While a successor adds this process's counts to its own. */
const SAVE_OFTEN_MS = 100;

/** Everything that is counted: by this process, by those before it, and by one that still drains. */
export class Statistics {
  readonly book = new CounterBook();
  readonly #store: EpochStore;
  readonly #evidence = new Map<string, RolloutEvidence>();
  readonly #journals: string;
  readonly #log: EdgeLog;
  #timer: NodeJS.Timeout | null = null;
  #lastSaved = '';
  /** Writes follow one another. */
  #saving: Promise<LifeCounts> = Promise.resolve(NO_COUNTS);

  constructor(folder: string, log: EdgeLog) {
    this.#log = log;
    this.#store = new EpochStore(join(folder, 'counters'), log);
    this.#journals = join(folder, 'evidence');
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  evidenceFor(rollout: string): RolloutEvidence {
    const known = this.#evidence.get(rollout);
    if (known !== undefined) return known;
    const journal = new EvidenceJournal(this.#journals, rollout, {
      epoch: this.#store.epoch,
      life: this.#store.life,
      log: this.#log,
    });
    const made = new RolloutEvidence(rollout, journal, this.book.arms(rollout));
    this.#evidence.set(rollout, made);
    return made;
  }

  /** Forgets the evidence of all other rollouts. */
  keepRollouts(rollouts: ReadonlySet<string>): void {
    for (const [rollout, evidence] of this.#evidence) {
      if (rollouts.has(rollout)) continue;
      evidence.remove();
      this.#evidence.delete(rollout);
      this.book.forgetArms(rollout);
    }
    this.#store.keepArms(rollouts);
    removeOtherJournals(this.#journals, rollouts);
  }

  /** `now`: wall time. What is reported is in a file before: it is never taken back by a crash. */
  async report(now: number, heldBy: (key: string) => number): Promise<EdgeStats> {
    const totals = this.#store.total(await this.save());
    const { epoch } = this.#store;
    const sequence = this.#store.nextSequence();
    return {
      epoch,
      sequence,
      at: now,
      releases: totals.releases,
      services: totals.services.map((counts) => ({ ...counts, held: heldBy(counts.key) })),
      evidence: [...this.#evidence.values()].map((evidence) => evidence.report(epoch, sequence, totals)),
      unrouted: totals.unrouted,
    };
  }

  /** Writes the counts, and resolves with what was written. Never rejects. */
  save(): Promise<LifeCounts> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<LifeCounts> {
    const counts = this.book.toCounts();
    const text = JSON.stringify(counts);
    if (text === this.#lastSaved) return counts;
    try {
      await this.#store.saveAside(counts);
      this.#lastSaved = text;
    } catch (error) {
      this.#log('error', 'the counters could not be written', { error: String(error) });
    }
    return counts;
  }

  startSaving(often = false): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.save(), often ? SAVE_OFTEN_MS : SAVE_MS).unref();
  }

  /** The last word of this process. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#saving;
    try {
      this.#store.save(this.book.toCounts(), true);
    } catch (error) {
      this.#log('error', 'the last counters could not be written', { error: String(error) });
    }
  }
}
