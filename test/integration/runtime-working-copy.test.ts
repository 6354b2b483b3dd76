import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeWorkingCopy } from '../../src/drivers/runtime/process/working-copy.ts';
import { tempDir } from '../support/temp.ts';

test('files of a read-only artifact are the instance’s own to change; what is linked stays read-only', async () => {
  const folder = tempDir('copy');
  const artifact = join(folder, 'artifact');
  mkdirSync(join(artifact, 'node_modules/lib'), { recursive: true });
  for (const [name, mode] of [
    ['config.json', 0o444],
    ['start.sh', 0o555],
    ['node_modules/lib/index.js', 0o444],
  ] as const) {
    writeFileSync(join(artifact, name), 'x');
    chmodSync(join(artifact, name), mode);
  }
  const copy = join(folder, 'work');
  await makeWorkingCopy({ artifact, dir: '.', data: [], target: copy });
  const mode = (name: string): number => statSync(join(copy, name)).mode & 0o777;
  expect([mode('config.json'), mode('start.sh'), mode('node_modules/lib/index.js')]).toEqual([0o644, 0o755, 0o444]);
});
