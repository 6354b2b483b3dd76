import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EdgeLog } from '../log.ts';
import { readWhole, writeWhole } from '../state/durable-file.ts';
import type { LifeCounts } from './life-counts.ts';
import { addCounts, foldFormer, lifeCountsSchema, NO_COUNTS, withoutGauges } from './life-counts.ts';
import { LifeFile, livesIn, readLife, removeLife, tryJson } from './life-file.ts';
import type { Life } from './life-file.ts';

/**
 * Keeps counters across edge processes, so that they only grow.
 *
 * An epoch is one life of the counters and usually outlives many processes. Each process ("life") writes what it
 * counted into a file of its own, at most a second old, and before every report: what was once reported survives a
 * `kill -9`. The sum is `base` + the files of other lives + what this process holds. Lives that ended are folded into
 * the base, which names them, in one atomic write: a crash in between neither loses nor doubles anything.
 *
 * Workers that run beside this process are lives as well. They tell what they counted with every report; their files
 * stand in for those that are gone.
 */

const baseSchema = z.object({
  epoch: z.string().min(1),
  /** Number of the newest life. */
  life: z.number().int(),
  /** Lives that the counts below contain and whose files may still lie about. */
  folded: z.array(z.number().int()),
  counts: lifeCountsSchema,
});
type Base = z.infer<typeof baseSchema>;

/** Sequences of a later life are higher than all of an earlier one. */
const SEQUENCES_PER_LIFE = 2 ** 32;

/** Releases of a service that former processes counted and that have an entry each. */
const RELEASES_KEPT = 20;

/** The number of the newest life that the base knows; 0 when there is no base. */
export function newestLife(folder: string): number {
  const file = readWhole(join(folder, 'base'));
  const parsed = baseSchema.safeParse(file.state === 'whole' ? tryJson(file.text) : null);
  return parsed.success ? parsed.data.life : 0;
}

export class EpochStore {
  readonly #folder: string;
  readonly #log: EdgeLog;
  /** Of this process. */
  readonly file: LifeFile;
  #base: Base;
  #reports = 0;
  /** Last known counts of lives that were not folded when this one began. */
  readonly #others = new Map<number, Life>();
  /** The sum of those that have ended since, and which they are. */
  #ended = NO_COUNTS;
  readonly #endedLives = new Set<number>();

  constructor(folder: string, log: EdgeLog) {
    this.#folder = folder;
    this.#log = log;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#base = this.#readBase();
    this.#fold();
    this.file = new LifeFile(folder, { epoch: this.#base.epoch, after: () => this.#base.life });
    this.#base = { ...this.#base, life: this.file.life };
    this.#writeBase();
  }

  get epoch(): string {
    return this.#base.epoch;
  }

  get life(): number {
    return this.file.life;
  }

  nextSequence(): number {
    this.#reports++;
    return this.life * SEQUENCES_PER_LIFE + this.#reports;
  }

  /** The sum of the epoch, given what this process holds, and what workers beside it have just told. */
  total(own: LifeCounts, told: readonly Life[] = []): LifeCounts {
    for (const life of told) this.#hear(life);
    const fresh = new Set(told.map(({ life }) => life));
    this.#meet();
    for (const [number, known] of this.#others) {
      if (fresh.has(number)) continue;
      const dead = !isAlive(known.pid);
      const read = readLife(this.#folder, number);
      const latest = read !== null && read.mark >= known.mark ? read : known;
      if (latest.final || dead) this.#end(latest);
      else this.#others.set(number, latest);
    }
    let sum = addCounts(addCounts(this.#base.counts, this.#ended), own);
    for (const { counts } of this.#others.values()) sum = addCounts(sum, counts);
    return sum;
  }

  /** How many lives are added one by one with every report. */
  get apart(): number {
    return this.#others.size;
  }

  /** Reports may overtake each other: what was told later is known already, and a last word stays the last. */
  #hear(life: Life): void {
    if (life.epoch !== this.epoch || this.#endedLives.has(life.life)) return;
    const known = this.#others.get(life.life);
    if (known === undefined || known.mark < life.mark) this.#others.set(life.life, life);
  }

  /** Takes what a life left into one sum: workers may end every few seconds, for weeks. Their files stay for the next edge. */
  #end({ life, counts }: Life): void {
    this.#others.delete(life);
    this.#endedLives.add(life);
    this.#ended = foldFormer(addCounts(this.#ended, withoutGauges(counts)), RELEASES_KEPT);
  }

  /** Lives that began after this one. */
  #meet(): void {
    for (const number of livesIn(this.#folder)) {
      if (number === this.life || this.#others.has(number) || this.#endedLives.has(number)) continue;
      if (this.#base.folded.includes(number)) continue;
      const life = readLife(this.#folder, number);
      if (life?.epoch === this.epoch) this.#others.set(number, life);
    }
  }

  #readBase(): Base {
    const file = readWhole(join(this.#folder, 'base'));
    if (file.state === 'whole') {
      const parsed = baseSchema.safeParse(tryJson(file.text));
      if (parsed.success) return parsed.data;
    }
    if (file.state !== 'absent') this.#log('error', 'the counters were unreadable; a new epoch begins', {});
    return { epoch: randomUUID(), life: 0, folded: [], counts: NO_COUNTS };
  }

  /** Drops the totals of all other rollouts. */
  keepArms(rollouts: ReadonlySet<string>): void {
    const kept = (counts: LifeCounts): LifeCounts => ({
      ...counts,
      arms: Object.fromEntries(Object.entries(counts.arms).filter(([rollout]) => rollouts.has(rollout))),
    });
    this.#base = { ...this.#base, counts: kept(this.#base.counts) };
    this.#ended = kept(this.#ended);
  }

  /** Takes ended lives into the base; remembers those that still run. */
  #fold(): void {
    const { epoch, folded } = this.#base;
    const ended: number[] = [];
    for (const number of livesIn(this.#folder)) {
      const life = readLife(this.#folder, number);
      if (folded.includes(number) || life === null || life.epoch !== epoch) {
        removeLife(this.#folder, number);
      } else if (life.final || !isAlive(life.pid)) {
        this.#base = { ...this.#base, counts: addCounts(this.#base.counts, withoutGauges(life.counts)) };
        ended.push(number);
      } else this.#others.set(number, life);
      // Never reuse a number, even if the base that knew it was lost.
      this.#base = { ...this.#base, life: Math.max(this.#base.life, number) };
    }
    this.#base = { ...this.#base, folded: ended, counts: foldFormer(this.#base.counts, RELEASES_KEPT) };
    this.#writeBase();
    for (const number of ended) removeLife(this.#folder, number);
  }

  #writeBase(): void {
    try {
      writeWhole(join(this.#folder, 'base'), JSON.stringify(this.#base), true);
    } catch (error) {
      // A full disk must not keep traffic from being served.
      this.#log('error', 'the counters cannot be written', { error: String(error) });
    }
  }
}

/** A process id that was reused only keeps a file from being folded until the next start. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
