import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { KEPT_MS } from '../../domain/overview/grid.ts';
import type { Telemetry } from '../../ports/store.ts';
import { isBusy, isCorrupt, isFull, storeError } from '../sqlite/errors.ts';
import { LayoutError, openTelemetryFile, RESOLUTIONS, type Samples, type TelemetryFile } from './file.ts';

/** How long samples are collected before they are written, in ms: six times fewer pages change than for each by itself. */
const COLLECT_MS = 60_000;

/** Samples that wait when they cannot be written; the oldest are lost beyond that. */
const MOST_WAITING = 20_000;

/** Samples of a kind written at a time, which takes a few milliseconds; between two parts others get their turn. */
const PART = 150;

/** Rows deleted at a time. */
const BATCH = 500;

export interface TelemetryOptions {
  /** Absolute path; made, with its folder, when missing. */
  file: string;
  /** Told, in a sentence, when statistics are lost: a damaged file that was begun anew, a full disk. */
  warn: (message: string) => void;
  /** Milliseconds; default 60,000. */
  collectMs?: number;
}

/**
 * Opens the statistics. Nothing of it is needed to go on, so only a file that cannot be made at all is an error;
 * one that cannot be read is put aside, and what cannot be written is lost with a warning.
 *
 * It works in the caller's thread: see the record of that decision for what a thread of its own would cost.
 */
export async function openTelemetry({ file, warn, collectMs = COLLECT_MS }: TelemetryOptions): Promise<Telemetry> {
  const waiting: Samples = { edge: [], instances: [] };
  let writtenAt = performance.now();
  let failing = false;

  const begin = async (): Promise<TelemetryFile> => {
    try {
      return openTelemetryFile(file);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return beginAnew(error);
    }
  };

  const beginAnew = async (why: unknown): Promise<TelemetryFile> => {
    const aside = `${file}.unreadable`;
    await rename(file, aside);
    for (const ending of ['-wal', '-shm']) await rm(`${file}${ending}`, { force: true });
    warn(`The statistics in ${file} could not be read (${text(why)}); they are now in ${aside} and were begun anew.`);
    return openTelemetryFile(file);
  };

  let telemetry = await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    .then(begin)
    .catch((error: unknown) => {
      throw storeError(error, file);
    });

  /** Tries once more on a new file when this one turns out to be damaged. */
  const use = async <T>(work: (telemetry: TelemetryFile) => T): Promise<T> => {
    try {
      return work(telemetry);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      telemetry.close();
      telemetry = await beginAnew(error);
      return work(telemetry);
    }
  };

  const flush = async () => {
    writtenAt = performance.now();
    // By key, since rows of a key lie side by side in the file: few pages change in each transaction.
    for (const samples of [waiting.edge, waiting.instances]) samples.sort((a, b) => order(a.key, b.key));
    while (waiting.edge.length + waiting.instances.length > 0) {
      const part = { edge: waiting.edge.splice(0, PART), instances: waiting.instances.splice(0, PART) };
      try {
        await use((open) => open.write(part));
        failing = false;
      } catch (error) {
        if (!failing) warn(`Statistics cannot be written to ${file} (${text(error)}); some will be lost.`);
        failing = true;
        // Samples that cannot be written anywhere would stand in the way of all others for ever.
        if (!isFull(error) && !isBusy(error)) continue;
        waiting.edge = newest([...part.edge, ...waiting.edge]);
        waiting.instances = newest([...part.instances, ...waiting.instances]);
        return;
      }
      await nextTurn();
    }
  };

  // One after the other: a damaged file must not be replaced twice at the same time.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work).catch((error: unknown) => {
      throw storeError(error, file);
    });
    last = result.catch(() => {});
    return result;
  };

  const expire = async (now: number) => {
    for (const resolution of RESOLUTIONS) {
      const before = now - KEPT_MS[resolution];
      while ((await use((open) => open.expire(resolution, before, BATCH))) > 0) await nextTurn();
    }
  };

  return {
    async record({ edge, instances }) {
      waiting.edge.push(...edge);
      waiting.instances.push(...instances);
      const due =
        performance.now() - writtenAt >= collectMs || waiting.edge.length + waiting.instances.length > MOST_WAITING / 4;
      if (due) await inTurn(flush);
    },
    edge: (query) => inTurn(() => flush().then(() => use((open) => open.edge(query)))),
    instances: (query) => inTurn(() => flush().then(() => use((open) => open.instances(query)))),
    maintain: (now) => inTurn(() => flush().then(() => expire(now))),
    close: () => inTurn(() => flush().then(() => telemetry.close())),
  };
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const newest = <T extends { at: number }>(samples: T[]): T[] =>
  samples.length <= MOST_WAITING ? samples : samples.toSorted((a, b) => a.at - b.at).slice(-MOST_WAITING);

const isUnreadable = (error: unknown): boolean => isCorrupt(error) || error instanceof LayoutError;

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
