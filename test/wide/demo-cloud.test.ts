import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { CloudFigures } from '../../examples/demo/cloud-figures.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const DEMO = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));

/** `npm run demo -- --cloud …`, with all that it makes below a folder of the test. */
function startDemo(...args: string[]) {
  const folder = tempDir('demo');
  const child = spawn(process.execPath, [DEMO, '--cloud', ...args], { env: { ...process.env, TMPDIR: folder } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += String(chunk)));
  const ended = once(child, 'close') as Promise<[number | null]>;
  return {
    child,
    ended,
    output: () => out,
    left: () => readdirSync(folder).filter((name) => name.startsWith('evenkeel')),
  };
}

test('the whole story on the emulated cloud is as told, and leaves nothing behind', { timeout: 600_000 }, async () => {
  const demo = startDemo('--json');
  const [code] = await demo.ended;
  expect([code, demo.output()]).toEqual([0, expect.stringContaining('"promoted":true')]);
  const figures = JSON.parse(demo.output().trim().split('\n').at(-1) ?? '') as CloudFigures;
  expect(figures).toMatchObject({ failed: 0, rolledBack: true, unwell: 0, left: 0, violations: 0 });
  expect(figures.unchangedCalls).toBeLessThan(30);
  expect(demo.left()).toEqual([]);
});

test('Ctrl-C in the middle of it leaves nothing behind either', { timeout: 300_000 }, async () => {
  const demo = startDemo();
  await waitFor(() => demo.output().includes('2  Set-up'), { what: 'the set-up', timeout: 120_000 });
  demo.child.kill('SIGINT');
  const [code] = await demo.ended;
  expect([code, demo.output()]).toEqual([130, expect.stringContaining('Interrupted; cleaning up.')]);
  expect(demo.left()).toEqual([]);
});
