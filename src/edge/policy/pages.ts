import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { EdgePages } from '../../domain/traffic/policy.ts';
import type { EdgeLog } from '../log.ts';

/** A page is sent to whoever meets an error, perhaps to all at once. */
const MAX_BYTES = 256 * 1024;
const KEPT = 200;

/** HTML pages by path. The files never change under their names, so each is read once, when a table names it. */
export class PageShelf {
  readonly #log: EdgeLog;
  readonly #known = new Map<string, string>();

  constructor(log: EdgeLog) {
    this.#log = log;
  }

  /** The page of a file, or null when it cannot be had: the edge has words of its own then. */
  page(path: string): string | null {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    try {
      const text = read(path);
      const [oldest] = this.#known.keys();
      if (this.#known.size >= KEPT && oldest !== undefined) this.#known.delete(oldest);
      this.#known.set(path, text);
      return text;
    } catch (error) {
      this.#log('warn', 'a page cannot be read; clients get the words of the edge', { path, error: String(error) });
      return null;
    }
  }

  /** Pages by status. */
  pages(wanted: EdgePages | undefined): ReadonlyMap<number, string> | null {
    if (wanted === undefined) return null;
    const found = Object.entries(wanted).flatMap(([status, path]): [number, string][] => {
      const text = this.page(path);
      return text === null ? [] : [[Number(status), text]];
    });
    return found.length === 0 ? null : new Map(found);
  }
}

function read(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1024} KiB`);
    const buffer = Buffer.alloc(size);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, size, 0));
  } finally {
    closeSync(file);
  }
}
