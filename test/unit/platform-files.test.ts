import { chmodSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readChecked, sweepUnfinished, writeChecked, writeFileAtomic } from '../../src/platform/atomic-file.ts';
import { newId, randomToken } from '../../src/platform/ids.ts';
import { createLogger } from '../../src/platform/log.ts';
import { readJson } from '../../src/platform/read-json.ts';
import { readOrCreateToken, readToken } from '../../src/platform/tokens.ts';
import { tempDir } from '../support/temp.ts';

test('what writers that were killed left beside a file is swept up, and what is being written is not', async () => {
  const folder = tempDir();
  const left = ['state.0b4f7c1e-93a2.tmp', 'token.0b4f7c1e-93a2.tmp'];
  for (const name of [...left, 'state', 'notes.tmp', 'new.11111111-2222.tmp']) writeFileSync(join(folder, name), 'x');
  const past = new Date(Date.now() - 3_600_000);
  for (const name of [...left, 'state', 'notes.tmp']) utimesSync(join(folder, name), past, past);
  await sweepUnfinished(folder);
  await sweepUnfinished(join(folder, 'none'));
  expect(readdirSync(folder).toSorted()).toEqual(['new.11111111-2222.tmp', 'notes.tmp', 'state']);
});

test('writing replaces the whole file, for its owner alone, and leaves nothing beside it', async () => {
  const folder = tempDir();
  const file = join(folder, 'state');
  await writeFileAtomic(file, 'a long first content');
  await writeFileAtomic(file, 'second');
  expect(readFileSync(file, 'utf8')).toBe('second');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['state']);
});

test('of many writers at once one wins whole', async () => {
  const file = join(tempDir(), 'state');
  const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(5_000));
  await Promise.all(contents.map((content) => writeFileAtomic(file, content)));
  expect(contents).toContain(readFileSync(file, 'utf8'));
});

test('a checked value reads back, and is absent without complaint before it was ever written', async () => {
  const file = join(tempDir(), 'state');
  expect(await readChecked(file)).toEqual({ from: 'none', value: null, problem: null });
  await writeChecked(file, { routes: ['/', 'ü'] });
  expect(await readChecked(file)).toEqual({ from: 'current', value: { routes: ['/', 'ü'] }, problem: null });
});

test.each([
  ['cut off', (file: string) => truncateSync(file, statSync(file).size - 4)],
  ['empty', (file: string) => truncateSync(file, 0)],
  ['changed in one byte', (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace('"n":2', '"n":7'))],
])('a checked file that is %s gives the former version and says so', async (_how, damage) => {
  const file = join(tempDir(), 'state');
  await writeChecked(file, { n: 1 });
  await writeChecked(file, { n: 2 });
  damage(file);
  expect(await readChecked(file)).toMatchObject({
    from: 'former',
    value: { n: 1 },
    problem: expect.stringContaining(file),
  });
  // The damaged version must not take the place of the sound one.
  await writeChecked(file, { n: 3 });
  damage(file);
  truncateSync(file, 0);
  expect(await readChecked(file)).toMatchObject({ from: 'former', value: { n: 1 } });
});

test('JSON that is missing or broken reads as null', async () => {
  const file = join(tempDir(), 'x.json');
  expect(await readJson(file)).toBeNull();
  writeFileSync(file, '{"a":');
  expect(await readJson(file)).toBeNull();
  writeFileSync(file, '{"a":1}');
  expect(await readJson(file)).toEqual({ a: 1 });
});

test('all who make a token at once get the same one, and others cannot read it', async () => {
  const file = join(tempDir(), 'token');
  expect(await readToken(file)).toBeNull();
  const tokens = await Promise.all(Array.from({ length: 10 }, () => readOrCreateToken(file)));
  expect(new Set(tokens).size).toBe(1);
  expect(tokens[0]).toMatch(/^[0-9a-z]{52}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a token file that a power cut left empty is no token, and is made anew', async () => {
  const file = join(tempDir(), 'token');
  writeFileSync(file, '', { mode: 0o600 });
  expect(await readToken(file)).toBeNull();
  const token = await readOrCreateToken(file);
  expect(token).toMatch(/^[0-9a-z]{52}$/);
  expect(await readToken(file)).toBe(token);
});

test('a token that others could read is refused', async () => {
  const file = join(tempDir(), 'token');
  await readOrCreateToken(file);
  chmodSync(file, 0o644);
  await expect(readToken(file)).rejects.toMatchObject({ code: 'token-exposed', where: file });
});

test('ids sort by the time of their making and do not repeat', () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => newId('ro', 1_700_000_000_000 + i));
  expect(ids.toSorted()).toEqual(ids);
  const sameMoment = Array.from({ length: 1_000 }, () => newId(undefined, 5));
  expect(new Set(sameMoment).size).toBe(1_000);
  expect(randomToken()).not.toBe(randomToken());
});

test('a log on a full disk keeps nobody from what they were doing', async () => {
  const log = await createLogger({ name: 'x', file: '/dev/full' });
  for (let line = 0; line < 3; line++) expect(() => log.error('the store refused it')).not.toThrow();
});

test('secrets do not reach the log, and a log that grew large is begun anew', async () => {
  const file = join(tempDir(), 'logs', 'x.log');
  const first = await createLogger({ name: 'x', file, maxBytes: 200 });
  first.info({ token: 'hidden-1', request: { authorization: 'hidden-2', path: '/a' } }, 'asked '.repeat(50));
  expect(readFileSync(file, 'utf8')).not.toContain('hidden');
  expect(readFileSync(file, 'utf8')).toContain('/a');
  const second = await createLogger({ name: 'x', file, maxBytes: 200 });
  second.info('afterwards');
  expect(readFileSync(file, 'utf8')).toContain('afterwards');
  expect(readFileSync(file, 'utf8')).not.toContain('asked');
  expect(readFileSync(`${file}.1`, 'utf8')).toContain('asked');
});
