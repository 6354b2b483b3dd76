import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EdgeLog } from '../log.ts';
import { readWhole, writeWhole, writeWholeAside } from '../state/durable-file.ts';
import type { LifeCounts } from './life-counts.ts';
import { addCounts, foldFormer, lifeCountsSchema, NO_COUNTS, withoutGauges } from './life-counts.ts';

/**
 * Keeps counters across edge processes, so that they only grow.
 *
 * An epoch is one life of the counters and usually outlives many processes. Each process ("life") writes what it
 * counted into a file of its own, at most a second old, and before every report: what was once reported survives a
 * `kill -9`. The sum is `base` + the files of other lives + what this process holds. Lives that ended are folded into
 * the base, which names them, in one atomic write: a crash in between neither loses nor doubles anything.
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

const lifeSchema = z.object({
  epoch: z.string(),
  life: z.number().int(),
  pid: z.number().int(),
  /** Its last word: nothing will be added. */
  final: z.boolean(),
  counts: lifeCountsSchema,
});
type Life = z.infer<typeof lifeSchema>;

/** Sequences of a later life are higher than all of an earlier one. */
const SEQUENCES_PER_LIFE = 2 ** 32;

/** Releases of a service that former processes counted and that have an entry each. */
const RELEASES_KEPT = 20;

export class EpochStore {
  readonly #folder: string;
  readonly #log: EdgeLog;
  #base: Base;
  #reports = 0;
  /** Last known counts of lives that were not folded when this one began. */
  readonly #others = new Map<number, Life>();

  constructor(folder: string, log: EdgeLog) {
    this.#folder = folder;
    this.#log = log;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#base = this.#readBase();
    this.#fold();
    this.#base = { ...this.#base, life: this.#base.life + 1 };
    this.#writeBase();
    // A successor adds what it finds when it starts, so there is something to find from the first moment on.
    try {
      this.save(NO_COUNTS, false);
    } catch {
      // told by the write before
    }
  }

  get epoch(): string {
    return this.#base.epoch;
  }

  get life(): number {
    return this.#base.life;
  }

  nextSequence(): number {
    this.#reports++;
    return this.life * SEQUENCES_PER_LIFE + this.#reports;
  }

  /** Writes what this process counted, at once: at its start, and as its last word. */
  save(counts: LifeCounts, final: boolean): void {
    writeWhole(this.#lifePath(this.life), this.#lifeText(counts, final), false);
  }

  /** Writes what this process counted, while requests go on. One at a time. */
  saveAside(counts: LifeCounts): Promise<void> {
    return writeWholeAside(this.#lifePath(this.life), this.#lifeText(counts, false));
  }

  #lifeText(counts: LifeCounts, final: boolean): string {
    const life: Life = { epoch: this.epoch, life: this.life, pid: process.pid, final, counts };
    return JSON.stringify(life);
  }

  /** The sum of the epoch, given what this process holds. */
  total(own: LifeCounts): LifeCounts {
    for (const [number, known] of this.#others) {
      if (known.final) continue;
      const life = this.#readLife(number);
      if (life !== null) this.#others.set(number, life);
      else if (!isAlive(known.pid)) this.#others.set(number, { ...known, final: true });
    }
    let sum = addCounts(this.#base.counts, own);
    for (const { final, pid, counts } of this.#others.values())
      sum = addCounts(sum, final || !isAlive(pid) ? withoutGauges(counts) : counts);
    return sum;
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
    const arms = Object.fromEntries(
      Object.entries(this.#base.counts.arms).filter(([rollout]) => rollouts.has(rollout)),
    );
    this.#base = { ...this.#base, counts: { ...this.#base.counts, arms } };
  }

  /** Takes ended lives into the base; remembers those that still run. */
  #fold(): void {
    const { epoch, folded } = this.#base;
    const numbers = readdirSync(this.#folder).flatMap((name) => {
      const number = /^life-(\d+)$/.exec(name)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
    const ended: number[] = [];
    for (const number of numbers) {
      const life = this.#readLife(number);
      if (folded.includes(number) || life === null || life.epoch !== epoch) {
        rmSync(this.#lifePath(number), { force: true });
      } else if (life.final || !isAlive(life.pid)) {
        this.#base = { ...this.#base, counts: addCounts(this.#base.counts, withoutGauges(life.counts)) };
        ended.push(number);
      } else this.#others.set(number, life);
      // Never reuse a number, even if the base that knew it was lost.
      this.#base = { ...this.#base, life: Math.max(this.#base.life, number) };
    }
    this.#base = { ...this.#base, folded: ended, counts: foldFormer(this.#base.counts, RELEASES_KEPT) };
    this.#writeBase();
    for (const number of ended) rmSync(this.#lifePath(number), { force: true });
  }

  #writeBase(): void {
    try {
      writeWhole(join(this.#folder, 'base'), JSON.stringify(this.#base), true);
    } catch (error) {
      // A full disk must not keep traffic from being served.
      this.#log('error', 'the counters cannot be written', { error: String(error) });
    }
  }

  #readLife(number: number): Life | null {
    const file = readWhole(this.#lifePath(number));
    if (file.state !== 'whole') return null;
    const parsed = lifeSchema.safeParse(tryJson(file.text));
    return parsed.success ? parsed.data : null;
  }

  #lifePath(number: number): string {
    return join(this.#folder, `life-${number}`);
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
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
