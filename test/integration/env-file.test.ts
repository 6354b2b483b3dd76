import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setInEnvFile } from '../../src/platform/env-file.ts';
import { tempDir } from '../support/temp.ts';

const heading = 'Addresses of the services, as of their last deploy';

test('property 35: addresses are written where they were, and new ones under a heading', async () => {
  const file = join(tempDir('env'), '.env.production');
  writeFileSync(
    file,
    '# Keep in step with .env.example\nexport API_URL=http://old # the gateway\n\nPORT=8080\n# end\n',
  );
  const values = { API_URL: 'https://api-1.a.run.app', WEBSOCKET_URL: 'https://ws-1.a.run.app' };
  expect(await setInEnvFile(file, values, { heading })).toEqual(['API_URL', 'WEBSOCKET_URL']);
  expect(readFileSync(file, 'utf8')).toBe(
    `# Keep in step with .env.example\nexport API_URL=https://api-1.a.run.app # the gateway\n\nPORT=8080\n# end\n\n# ${heading}\nWEBSOCKET_URL=https://ws-1.a.run.app\n`,
  );
  expect(await setInEnvFile(file, { ...values, FACE_URL: 'https://f.run.app' }, { heading })).toEqual(['FACE_URL']);
  expect(readFileSync(file, 'utf8')).toContain('WEBSOCKET_URL=https://ws-1.a.run.app\nFACE_URL=https://f.run.app\n');
});

test('a file that is not there is made for its owner alone, with nothing beside it', async () => {
  const folder = tempDir('env');
  expect(await setInEnvFile(join(folder, '.env'), { A_URL: 'https://a' }, { heading })).toEqual(['A_URL']);
  expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(`# ${heading}\nA_URL=https://a\n`);
  expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['.env']);
});

test('the mode and a link to the file stay, and nothing is written when nothing changes', async () => {
  const folder = tempDir('env');
  const [file, link] = [join(folder, 'real'), join(folder, '.env')];
  writeFileSync(file, 'A_URL=https://a');
  chmodSync(file, 0o644);
  symlinkSync('real', link);
  const before = statSync(file).ino;
  expect(await setInEnvFile(link, { A_URL: 'https://a' }, { heading })).toEqual([]);
  expect(statSync(file).ino).toBe(before);
  await setInEnvFile(link, { A_URL: 'https://b' }, { heading });
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['A_URL=https://b', 0o644]);
});

test('property 35: whoever reads meanwhile sees all of the old file or all of the new one', async () => {
  const file = join(tempDir('env'), '.env');
  const rest = Array.from({ length: 2000 }, (_, index) => `V${index}=${index}`).join('\n');
  writeFileSync(file, `A_URL=0\n${rest}\n`);
  let writing = true;
  const writer = (async () => {
    for (let turn = 1; turn <= 20; turn++) await setInEnvFile(file, { A_URL: String(turn) }, { heading });
    writing = false;
  })();
  const torn: string[] = [];
  while (writing) {
    const seen = readFileSync(file, 'utf8');
    if (!/^A_URL=\d+\n/.test(seen) || seen.slice(seen.indexOf('\n') + 1) !== `${rest}\n`) torn.push(seen.slice(0, 20));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writer;
  expect(torn).toEqual([]);
  expect(readFileSync(file, 'utf8')).toContain('A_URL=20\n');
});
