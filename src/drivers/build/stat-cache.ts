import type { BigIntStats } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { readJson } from '../../platform/read-json.ts';
import { sha256 } from './manifest.ts';

/** Younger changes than this are not remembered: the next one might bear the same time. File systems count in up to 2 s. */
const SETTLED_MS = 2_000;

const DIGEST = /^[0-9a-f]{64}$/;

/** By path. Tens of thousands of them, so each is only looked at when it is asked for. */
type Known = Record<string, readonly [signature: string, sha: string]>;

/** Digests of files that are still as they were: same inode, size and times. Losing it costs time only. */
export class StatCache {
  readonly #known: Known;
  readonly #seen: Known = {};
  #changed = false;

  private constructor(known: Known) {
    this.#known = known;
  }

  static async load(folder: string, key: string): Promise<StatCache> {
    const known = await readJson(fileOf(folder, key));
    return new StatCache(typeof known === 'object' && known !== null ? (known as Known) : {});
  }

  get(path: string, stats: BigIntStats): string | null {
    const entry = Object.hasOwn(this.#known, path) ? this.#known[path] : undefined;
    if (!Array.isArray(entry) || entry[0] !== signatureOf(stats) || !DIGEST.test(entry[1])) return null;
    this.#seen[path] = entry;
    return entry[1];
  }

  set(path: string, stats: BigIntStats, sha: string): void {
    const newest = stats.ctimeMs > stats.mtimeMs ? stats.ctimeMs : stats.mtimeMs;
    if (Number(newest) > Date.now() - SETTLED_MS) return;
    this.#seen[path] = [signatureOf(stats), sha];
    this.#changed = true;
  }

  /** Keeps what was seen, for the next look at the same files. */
  async save(folder: string, key: string): Promise<void> {
    if (!this.#changed && Object.keys(this.#seen).length === Object.keys(this.#known).length) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(fileOf(folder, key), JSON.stringify(this.#seen));
  }
}

/** Forgets folders that nobody looked at for so long. */
export async function sweepStatCaches(folder: string, olderThanMs: number, now: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const stats = await stat(join(folder, name)).catch(() => null);
    if (stats !== null && stats.mtimeMs < now - olderThanMs) await rm(join(folder, name), { force: true });
  }
}

const fileOf = (folder: string, key: string): string => join(folder, `${sha256(key).slice(0, 32)}.json`);

const signatureOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string => `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
