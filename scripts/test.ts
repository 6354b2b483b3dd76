/**
 * `npm test`: the checks, then the tests, then one plain line that says how it went.
 *
 * Arguments go to vitest, and then only vitest runs: `npm test -- test/unit/duration.test.ts`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Counts } from '../test/support/count-reporter.ts';
import { runChecks } from './check.ts';

const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);

const failedChecks = args.length === 0 ? await runChecks() : [];
const { counts, code: exitCode } = await runTests();

if (failedChecks.length > 0) console.log(`checks that failed (see above): ${failedChecks.join(', ')}`);
// A run that fails never says "0 failed": a failed check counts, and so does a runner that ended without counting.
const failed = counts.failed + failedChecks.length + (exitCode !== 0 && counts.failed === 0 ? 1 : 0);
console.log(`${counts.passed} passed, ${failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;

/** Runs vitest on this terminal; `code` is its exit code, null when a signal ended it. */
async function runTests(): Promise<{ counts: Counts; code: number | null }> {
  const folder = await mkdtemp(join(tmpdir(), 'evenkeel-counts-'));
  const file = join(folder, 'counts.json');
  try {
    const child = spawn(join(root, 'node_modules/.bin/vitest'), ['run', ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, EVENKEEL_TEST_COUNTS: file },
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

async function read(file: string): Promise<Counts> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Counts;
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }; // vitest ended before it could count
  }
}
