import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fileSecrets } from '../../src/drivers/secrets/file-secrets.ts';
import { tempDir } from '../support/temp.ts';
import { tinyDisk } from '../support/tiny-disk.ts';
import { waitFor } from '../support/wait.ts';

const WRITER = fileURLToPath(new URL('secrets-writer.ts', import.meta.url));
const scope = { project: 'chat', environment: 'production' };
const ROUNDS = 4;

/** A process that writes without end, and what it said it had stored last under each name. */
function writer(at: { file: string; keyFile: string }, prefix: string) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', WRITER, at.file, at.keyFile, prefix],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const stored = new Map<string, string>();
  let count = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [name = '', value = ''] = line.split(' ');
    stored.set(name, value);
    count += 1;
  });
  return {
    stored,
    count: () => count,
    async kill() {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

test('two that write at once, and are killed in the middle of it, lose nothing that was said to be stored', async () => {
  const at = { file: join(tempDir('home'), 'secrets.json'), keyFile: join(tempDir('config'), 'secrets.key') };
  const said = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const writers = ['ONE', 'TWO'].map((prefix) => writer(at, prefix));
    try {
      // At different moments of a write each time.
      await waitFor(() => writers.every((each) => each.count() > 5 + round * 3), {
        what: 'both to have written',
        timeout: 30_000,
      });
    } finally {
      await Promise.all(writers.map((each) => each.kill()));
    }
    for (const { stored } of writers) for (const [name, value] of stored) said.set(name, value);
    const secrets = fileSecrets(at);
    const values = await secrets.resolve(scope, [...said.keys()]);
    for (const [name, value] of said) {
      const number = Number(values[name]?.split('-').at(-1));
      // What was under way when it was killed may be stored as well; what was said is never lost.
      expect(number, `${name}: ${values[name]} after ${value}`).toBeGreaterThanOrEqual(Number(value.split('-').at(-1)));
    }
    // Nobody is left who holds the lock.
    await secrets.set(scope, 'AFTER', `round ${round}`);
    said.clear();
  }
  expect(existsSync(at.file)).toBe(true);
}, 120_000);

test('on a full disk nothing is stored, nothing is lost, and it goes on when there is room', async (context) => {
  const disk = tinyDisk(256 * 1024);
  if (disk === null) return context.skip('no file system can be mounted here');
  const at = { file: join(disk, 'secrets.json'), keyFile: join(tempDir('config'), 'secrets.key') };
  const secrets = fileSecrets(at);
  await secrets.set(scope, 'A', 'as it was');
  expect(() => writeFileSync(join(disk, 'rest'), Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');
  const refused = await secrets.set(scope, 'A', 'new').catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'secrets-unwritable', why: 'no space is left on the disk', retryable: true });
  expect(await secrets.resolve(scope, ['A'])).toEqual({ A: 'as it was' });
  expect(readdirSync(disk).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  rmSync(join(disk, 'rest'));
  await secrets.set(scope, 'A', 'new');
  expect(await secrets.resolve(scope, ['A'])).toEqual({ A: 'new' });
});
