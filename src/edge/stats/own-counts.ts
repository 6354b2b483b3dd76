import { join } from 'node:path';
import type { EdgeLog } from '../log.ts';
import { CounterBook } from './counters.ts';
import { RolloutEvidence } from './evidence.ts';
import { EvidenceJournal } from './evidence-journal.ts';
import type { LifeCounts } from './life-counts.ts';
import { NO_COUNTS } from './life-counts.ts';
import type { LifeFile } from './life-file.ts';

const SAVE_MS = 1_000;
/** While another process adds this one's counts to its own, and nobody asks for them. */
const SAVE_OFTEN_MS = 100;

export const journalsIn = (folder: string): string => join(folder, 'evidence');
export const countersIn = (folder: string): string => join(folder, 'counters');

/** What this process counts, and the files that keep it. */
export class OwnCounts {
  readonly book = new CounterBook();
  readonly evidence = new Map<string, RolloutEvidence>();
  readonly #file: LifeFile;
  readonly #journals: string;
  readonly #log: EdgeLog;
  readonly #reports: boolean;
  #timer: NodeJS.Timeout | null = null;
  #lastSaved = '';
  /** Writes follow one another. */
  #saving: Promise<LifeCounts> = Promise.resolve(NO_COUNTS);

  /** `reports`: evidence is settled here. Elsewhere it is only written down. */
  constructor(folder: string, file: LifeFile, log: EdgeLog, reports = false) {
    this.#reports = reports;
    this.#file = file;
    this.#journals = journalsIn(folder);
    this.#log = log;
  }

  evidenceFor(rollout: string): RolloutEvidence {
    const known = this.evidence.get(rollout);
    if (known !== undefined) return known;
    const { epoch, life } = this.#file;
    const journal = new EvidenceJournal(this.#journals, rollout, { epoch, life, log: this.#log });
    const made = new RolloutEvidence(rollout, journal, { arms: this.book.arms(rollout), reports: this.#reports });
    this.evidence.set(rollout, made);
    return made;
  }

  /** Forgets the evidence of all other rollouts; `end` is what becomes of it. */
  keepRollouts(rollouts: ReadonlySet<string>, end: (evidence: RolloutEvidence) => void): void {
    for (const [rollout, evidence] of this.evidence) {
      if (rollouts.has(rollout)) continue;
      end(evidence);
      this.evidence.delete(rollout);
      this.book.forgetArms(rollout);
    }
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
      await this.#file.saveAside(this.#file.record(counts));
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
      this.#file.save(this.#file.record(this.book.toCounts(), true));
    } catch (error) {
      this.#log('error', 'the last counters could not be written', { error: String(error) });
    }
  }
}
