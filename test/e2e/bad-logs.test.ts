import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logReader } from '../../src/drivers/runtime/process/logs/log-reader.ts';
import { folder } from '../support/bad/app.ts';
import { sharedSystem, told } from '../support/bad/shared-system.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

test('a log that cannot be kept small does not let the others grow', async () => {
  const logs = tempDir('logs');
  const flood = 'a line\n'.repeat(10_000);
  for (const name of ['stuck.log', 'other.log']) writeFileSync(join(logs, name), flood);
  mkdirSync(join(logs, 'stuck.log.rotating'));
  const reader = logReader({ maxBytes: 1024, keep: 2 });
  await expect(reader.maintain([join(logs, 'stuck.log'), join(logs, 'other.log')])).rejects.toThrow('EISDIR');
  expect(readdirSync(logs).filter((name) => name.startsWith('other.log.')).length).toBeGreaterThan(0);
});

test('times of lines are known in every one of several projects', async () => {
  const shops = [await folder({ name: 'left' }), await folder({ name: 'right' })];
  for (const shop of shops) {
    shop.program('let n = 0; setInterval(() => console.log("tick", ++n), 100); ' + talker);
    const up = await system.cli(['up'], { cwd: shop.root });
    expect(up.code, told(up)).toBe(0);
  }
  for (const shop of shops) {
    await waitFor(
      async () => {
        const { stdout } = await system.cli(['logs', 'api', '--json', '-n', '1000'], { cwd: shop.root });
        const lines = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { at: number | null });
        return new Set(lines.flatMap(({ at }) => at ?? [])).size > 2;
      },
      { what: `times in ${shop.project}`, timeout: 30_000, interval: 250 },
    );
  }
});

const talker =
  "require('node:http').createServer((q, r) => r.end()).listen(process.env.PORT, process.env.HOST); process.on('SIGTERM', () => process.exit(0));";
