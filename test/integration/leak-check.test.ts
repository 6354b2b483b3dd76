import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const config = join(root, 'test/support/fixtures/vitest.config.ts');

interface Outcome {
  success: boolean;
  output: string;
}

/** Runs one fixture as a test file of its own, with the leak check of the real ones. */
async function runFixture(name: string): Promise<Outcome> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
  const run = promisify(execFile)(process.execPath, [vitest, 'run', '--config', config, name], { cwd: root, env });
  return run.then(
    ({ stdout, stderr }) => ({ success: true, output: stdout + stderr }),
    (error: { stdout: string; stderr: string }) => ({ success: false, output: error.stdout + error.stderr }),
  );
}

describe('the leak check', () => {
  test('fails a test file that leaves processes, a socket and a folder behind, and names them', async () => {
    const { success, output } = await runFixture('leaky.ts');
    expect(success).toBe(false);
    expect(output).toMatch(/process \d+: sleep 61/);
    expect(output).toMatch(/process \d+: sleep 62/);
    expect(output).toMatch(/listening socket/);
    expect(output).toMatch(/folder \S+-again-/);
  });

  test('lets a test file pass that ends what it began', async () => {
    const { success, output } = await runFixture('tidy.ts');
    expect(output).toMatch(/3 passed/);
    expect(success).toBe(true);
  });
});
