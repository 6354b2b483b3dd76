import { linkSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readWhole, writeWhole, writeWholeAside } from '../state/durable-file.ts';
import type { LifeCounts } from './life-counts.ts';
import { lifeCountsSchema, NO_COUNTS } from './life-counts.ts';

/** What one process counted, in a file of its own: `life-7`. */

export const lifeSchema = z.object({
  epoch: z.string(),
  life: z.number().int(),
  pid: z.number().int(),
  /** Its last word: nothing will be added. */
  final: z.boolean(),
  /** Of two records of one life, the one with the higher mark is the later one. */
  mark: z.number().int().default(0),
  counts: lifeCountsSchema,
});
export type Life = z.infer<typeof lifeSchema>;

const lifePath = (folder: string, life: number): string => join(folder, `life-${life}`);

/** The numbers of all lives that have a file. */
export function livesIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const number = /^life-(\d+)$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Null when there is none, or none that can be read. */
export function readLife(folder: string, life: number): Life | null {
  const file = readWhole(lifePath(folder, life));
  if (file.state !== 'whole') return null;
  const parsed = lifeSchema.safeParse(tryJson(file.text));
  return parsed.success ? parsed.data : null;
}

export const removeLife = (folder: string, life: number): void => rmSync(lifePath(folder, life), { force: true });

/** The file of this process. */
export class LifeFile {
  readonly life: number;
  readonly epoch: string;
  readonly #folder: string;
  #mark = 0;

  /**
   * Takes the first number above `after` that no process has. Several may look for one at once: a file that is there is
   * never replaced by another's. It holds counts from the first moment on, since whoever comes next adds what it finds.
   * `after` is asked when the files have been seen: a number whose file is gone is known there by then.
   */
  constructor(folder: string, { epoch, after }: { epoch: string; after: () => number }) {
    this.#folder = folder;
    this.epoch = epoch;
    const files = livesIn(folder);
    let life = Math.max(after(), ...files) + 1;
    while (!this.#claim(life)) life++;
    this.life = life;
  }

  /** Where nothing can be written, the number is taken all the same: a full disk must not keep traffic from being served. */
  #claim(life: number): boolean {
    const path = lifePath(this.#folder, life);
    const beside = `${path}.${process.pid}.new`;
    try {
      writeWhole(beside, JSON.stringify(this.#record(life, NO_COUNTS, false)), false);
      linkSync(beside, path);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'EEXIST';
    } finally {
      rmSync(beside, { force: true });
    }
  }

  /** The present record, marked as later than all before. */
  record(counts: LifeCounts, final = false): Life {
    this.#mark++;
    return this.#record(this.life, counts, final);
  }

  #record(life: number, counts: LifeCounts, final: boolean): Life {
    return { epoch: this.epoch, life, pid: process.pid, final, mark: this.#mark, counts };
  }

  /** Writes at once: the last word. */
  save(record: Life): void {
    writeWhole(lifePath(this.#folder, this.life), JSON.stringify(record), false);
  }

  /** Writes while requests go on. One at a time. */
  saveAside(record: Life): Promise<void> {
    return writeWholeAside(lifePath(this.#folder, this.life), JSON.stringify(record));
  }
}

export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
