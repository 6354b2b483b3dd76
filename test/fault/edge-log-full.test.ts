import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const log = new URL('../../src/edge/log.ts', import.meta.url);

/** As the edge does: what nobody caught is logged, and traffic goes on. */
const program = `
  const { logToStderr } = await import(${JSON.stringify(log.href)});
  let uncaught = 0;
  process.on('uncaughtException', (error) => logToStderr('error', String(error), { uncaught: ++uncaught }));
  for (let line = 0; line < 3; line++) logToStderr('warn', 'an instance was lost', {});
  setTimeout(() => process.stdout.write(String(uncaught)), 100);
`;

test('an edge whose log is on a full disk neither dies of it nor talks to itself', async () => {
  const shell = 'exec "$0" --input-type=module -e "$1" 2>/dev/full';
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', shell, process.execPath, program], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    timeout: 20_000,
  });
  expect(stdout).toBe('0');
});
