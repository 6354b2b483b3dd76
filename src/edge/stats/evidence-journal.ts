import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS } from '../../domain/analysis/evidence.ts';
import type { Arm, Metric } from '../../domain/analysis/evidence.ts';
import type { EdgeLog } from '../log.ts';

/**
 * A unit's first bad event, as one line: `errors 10 canary 1f3a… 2n9c…` (metric, weight in percent, owner, hash and time
 * in base 36).
 */
export interface BadEvent {
  readonly metric: Metric;
  readonly weight: number;
  readonly owner: Arm;
  readonly hash: number;
  /**
   * When it happened, microseconds since the boot: the same clock for all processes, so that of two workers' events the
   * first is known. Absent, as former versions wrote them: before all others.
   */
  readonly at: number;
}

const isMetric = (word: string | undefined): word is Metric => METRICS.some((metric) => metric === word);

function parseLine(line: string): BadEvent | null {
  const [metric, weight, owner, hash, time = '0'] = line.split(' ');
  const number = Number.parseInt(hash ?? '', 36);
  if (!isMetric(metric) || (owner !== 'canary' && owner !== 'baseline') || !Number.isSafeInteger(number)) return null;
  const at = Number.parseInt(time, 36);
  return { metric, weight: Number(weight), owner, hash: number, at: Number.isSafeInteger(at) ? at : 0 };
}

/**
 * The first bad events of one rollout on disk. Each edge process appends to a file of its own (a line is written in
 * one call, before the reply goes out), named by its life, so that a draining and a new process never mix lines, and
 * a line torn by a crash is the last of its file.
 */
export class EvidenceJournal {
  readonly #folder: string;
  readonly #epoch: string;
  readonly #own: string;
  readonly #log: EdgeLog;
  /**
   * Null once it is removed (the number may belong to a client's connection by then), and when it cannot be written: a
   * line may be torn, and nothing may follow it.
   */
  #file: number | null;
  /** Bytes read so far of each other life's file. */
  readonly #offsets = new Map<string, number>();
  /** Of which that was said. */
  readonly #unreadable = new Set<string>();

  constructor(root: string, rollout: string, { epoch, life, log }: { epoch: string; life: number; log: EdgeLog }) {
    this.#log = log;
    this.#folder = journalFolder(root, rollout);
    this.#epoch = epoch;
    this.#own = `${epoch}.${life}`;
    this.#file = this.#open();
  }

  #open(): number | null {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      return openSync(join(this.#folder, this.#own), 'a', 0o600);
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  #failed(error: unknown): void {
    this.#log('error', 'evidence cannot be written down', { folder: this.#folder, error: String(error) });
  }

  /**
   * False when it was not written, so that nobody else knows of it. Requests that are still under way when the rollout
   * ends come here late, and are not wanted any more. A disk that is full costs the evidence its crash-safety, never a
   * client its reply.
   */
  append({ metric, weight, owner, hash, at }: BadEvent): boolean {
    if (this.#file === null) return false;
    try {
      const line = `${metric} ${weight} ${owner} ${hash.toString(36)} ${at.toString(36)}\n`;
      const written = writeSync(this.#file, line);
      if (written === line.length) return true;
      this.#failed(`${written} of ${line.length} bytes were written`);
    } catch (error) {
      this.#failed(error);
    }
    this.close(); // it is counted in memory all the same
    return false;
  }

  /** Events that other lives wrote since the last call. `counted`: in this epoch, so they belong into its report. */
  *readOthers(): Generator<{ event: BadEvent; counted: boolean }> {
    for (const name of namesIn(this.#folder)) {
      if (name === this.#own) continue;
      const counted = name.startsWith(`${this.#epoch}.`);
      for (const line of this.#newLines(name)) {
        const event = parseLine(line);
        if (event !== null) yield { event, counted };
      }
    }
  }

  /** Whole lines that came since they were asked for last. Journals grow long, and are looked at with every report. */
  #newLines(name: string): string[] {
    const from = this.#offsets.get(name) ?? 0;
    const added = this.#readFrom(name, from);
    const end = added.lastIndexOf('\n') + 1;
    if (end === 0) return [];
    this.#offsets.set(name, from + end);
    return added.toString('latin1', 0, end - 1).split('\n');
  }

  /** What cannot be read now may be with the next report; meanwhile it costs what is in others nothing. */
  #readFrom(name: string, from: number): Buffer {
    let file: number | null = null;
    try {
      file = openSync(join(this.#folder, name), 'r');
      const bytes = Buffer.allocUnsafe(Math.max(0, fstatSync(file).size - from));
      return bytes.length === 0 ? bytes : bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
    } catch (error) {
      // It may be gone since it was listed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !this.#unreadable.has(name)) {
        this.#unreadable.add(name);
        this.#log('error', 'evidence of another worker cannot be read', { name, error: String(error) });
      }
      return Buffer.alloc(0);
    } finally {
      if (file !== null) closeSync(file);
    }
  }

  /** Leaves the files to others. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  remove(): void {
    this.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it could not be made, or is gone already
  }
}

const journalFolder = (root: string, rollout: string): string => join(root, encodeURIComponent(rollout));

/** Removes journals of rollouts that no service splits any more. */
export function removeOtherJournals(root: string, rollouts: ReadonlySet<string>): void {
  const keep = new Set([...rollouts].map(encodeURIComponent));
  for (const name of namesIn(root)) if (!keep.has(name)) rmSync(join(root, name), { recursive: true, force: true });
}
