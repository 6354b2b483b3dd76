import { Worker } from 'node:worker_threads';
import type { Finding } from '../../domain/migration/finding.ts';
import { judgeFiles, type ReadFile } from '../../domain/migration/judge.ts';
import { moduleFile } from '../../platform/entry.ts';
import type { MigrationReader, PlacedFile } from '../../ports/migrations.ts';
import { LIMITS, type ReaderLimits } from './limits.ts';
import type { Said, SqlWork } from './sql-worker.ts';

/** Reads SQL as Postgres does, with Postgres's own parser. */
export function sqlReader(given: Partial<ReaderLimits> = {}): MigrationReader {
  const limits = { ...LIMITS, ...given };
  return {
    async examine(files, sources) {
      if (files.length === 0) return { findings: [], read: 0 };
      const { taken, left } = within(files, limits);
      const { read, findings, problem } = await inWorker({ files: taken, sources, limits });
      const missing = taken
        .filter(({ path }) => !read.some((each) => each.path === path))
        .map(({ path }): ReadFile => ({ path, statements: [], unread: problem ?? 'it was not read' }));
      // Without the search nobody knows what the running release names.
      const judged = findings ?? judgeFiles([...read, ...missing], () => null);
      const whole = read.filter((each) => each.unread === null).length;
      return { findings: [...judged, ...judgeFiles(left, () => null)], read: whole };
    },
  };
}

function within(files: readonly PlacedFile[], limits: ReaderLimits): { taken: PlacedFile[]; left: ReadFile[] } {
  const taken: PlacedFile[] = [];
  const left: ReadFile[] = [];
  let bytes = 0;
  for (const file of files) {
    const unread =
      file.size > limits.sqlBytes
        ? `it is larger than ${limits.sqlBytes / 1024} KiB`
        : taken.length >= limits.sqlFiles || bytes + file.size > limits.allSqlBytes
          ? 'there is more than is read at once'
          : null;
    if (unread !== null) left.push({ path: file.path, statements: [], unread });
    else {
      taken.push(file);
      bytes += file.size;
    }
  }
  return { taken, left };
}

interface Outcome {
  read: ReadFile[];
  findings: Finding[] | null;
  problem: string | null;
}

function inWorker(work: SqlWork): Promise<Outcome> {
  const { limits } = work;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const outcome: Outcome = { read: [], findings: null, problem: null };
  const worker = new Worker(moduleFile('drivers/migrations/sql-worker'), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
    // Nothing of the program around it is for a parser.
    env: {},
    stdout: true,
    stderr: true,
  });
  const end = (problem: string | null): void => {
    clearTimeout(timer);
    outcome.problem ??= problem;
    void worker.terminate();
    resolve(outcome);
  };
  let timer = setTimeout(end, limits.readMs, `it took longer than ${limits.readMs / 1000} s to read`);
  worker.on('message', (said: Said) => {
    if (said.kind === 'file') outcome.read.push(said.file);
    else if (said.kind === 'read') {
      clearTimeout(timer);
      timer = setTimeout(end, 2 * limits.searchMs, 'the search took too long');
    } else {
      outcome.findings = said.findings;
      end(null);
    }
  });
  worker.on('error', (error: Error) => end(`the reader failed: ${error.message}`));
  worker.on('exit', () => end('the reader ended'));
  return promise;
}
