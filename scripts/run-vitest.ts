import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Counts } from '../test/support/count-reporter.ts';

const root = join(import.meta.dirname, '..');

export interface VitestRun {
  readonly counts: Counts;
  /** The exit code of vitest, null when a signal ended it. */
  readonly code: number | null;
}

/** Runs vitest on this terminal. `long`: the tests below test/long are there, too. */
export async function runVitest(args: readonly string[], { long = false } = {}): Promise<VitestRun> {
  const folder = await mkdtemp(join(tmpdir(), 'evenkeel-counts-'));
  const file = join(folder, 'counts.json');
  try {
    const child = spawn(join(root, 'node_modules/.bin/vitest'), ['run', ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, EVENKEEL_TEST_COUNTS: file, ...(long ? { EVENKEEL_TEST_LONG: '1' } : {}) },
    });
    // Ctrl-C reaches vitest by itself (same terminal); here it only must not end us before the closing line.
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    return { counts: await read(file), code };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run that fails never says "0 failed": a runner that ended without counting counts as one. */
export const failedIn = ({ counts, code }: VitestRun): number =>
  counts.failed + (code !== 0 && counts.failed === 0 ? 1 : 0);

async function read(file: string): Promise<Counts> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Counts;
  } catch {
    return { passed: 0, failed: 0, skipped: 0, secondTry: [] }; // vitest ended before it could count
  }
}
