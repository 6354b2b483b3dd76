import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeWorkingCopy } from '../../src/drivers/runtime/process/working-copy.ts';
import { tempDir } from '../support/temp.ts';

const isRoot = process.getuid?.() === 0;

function artifactIn(folder: string): string {
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
  return artifact;
}

test('files of a read-only artifact are the instance’s own to change; what is linked stays read-only', async () => {
  const folder = tempDir('copy');
  const copy = join(folder, 'work');
  await makeWorkingCopy({ artifact: artifactIn(folder), dir: '.', data: [], target: copy });
  const mode = (name: string): number => statSync(join(copy, name)).mode & 0o777;
  expect([mode('config.json'), mode('start.sh')]).toEqual([0o644, 0o755]);
  // Root may write to any file, so nothing is linked for him.
  expect(mode('node_modules/lib/index.js')).toBe(isRoot ? 0o644 : 0o444);
});

test('whatever an instance overwrites in its copy, the artifact and the copies of others stay as they are', async () => {
  const folder = tempDir('copy');
  const artifact = artifactIn(folder);
  const [mine, other] = [join(folder, 'mine'), join(folder, 'other')];
  for (const target of [mine, other]) await makeWorkingCopy({ artifact, dir: '.', data: [], target });
  for (const name of ['config.json', 'start.sh', 'node_modules/lib/index.js']) {
    try {
      writeFileSync(join(mine, name), 'overwritten');
    } catch (error) {
      expect(error).toMatchObject({ code: 'EACCES' });
    }
    for (const place of [artifact, other]) expect(readFileSync(join(place, name), 'utf8')).toBe('x');
  }
});
