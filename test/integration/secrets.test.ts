import { chmodSync, chownSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileSecrets } from '../../src/drivers/secrets/file-secrets.ts';
import { seal } from '../../src/drivers/secrets/seal.ts';
import { EvenkeelError } from '../../src/ports/errors.ts';
import type { Secrets } from '../../src/ports/secrets.ts';
import { tempDir } from '../support/temp.ts';

const scope = { project: 'chat', environment: 'production' };
const other = { project: 'chat', environment: 'staging' };
const VALUE = 'correct horse battery staple';

function places() {
  const file = join(tempDir('home'), 'secrets.json');
  const keyFile = join(tempDir('config'), 'evenkeel', 'secrets.key');
  return { file, keyFile, secrets: fileSecrets({ file, keyFile }) };
}

async function refusal(work: Promise<unknown>): Promise<EvenkeelError> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(error instanceof EvenkeelError)) throw new Error(`expected an EvenkeelError, got ${String(error)}`);
  expect(JSON.stringify([error.message, error.where, error.why, error.next])).not.toContain(VALUE);
  return error;
}

/** Alters the stored JSON. */
function edit(file: string, change: (stored: { secrets: Record<string, string>[] }) => void): void {
  const stored = JSON.parse(readFileSync(file, 'utf8')) as { secrets: Record<string, string>[] };
  change(stored);
  writeFileSync(file, JSON.stringify(stored));
}

describe('secrets', () => {
  test('come back as they went in, to whoever asks for their environment', async () => {
    const { secrets, file, keyFile } = places();
    await secrets.set(scope, 'API_KEY', VALUE);
    await secrets.set(scope, 'EMPTY', '');
    await secrets.set(other, 'API_KEY', 'ünïcode\n二行');
    const again = fileSecrets({ file, keyFile });
    expect(await again.resolve(scope, ['API_KEY', 'EMPTY'])).toEqual({ API_KEY: VALUE, EMPTY: '' });
    expect(await again.resolve(other, ['API_KEY'])).toEqual({ API_KEY: 'ünïcode\n二行' });
    expect((await again.list(scope)).map(({ name }) => name)).toEqual(['API_KEY', 'EMPTY']);
  });

  test('are replaced by a second value, and gone when removed', async () => {
    const { secrets } = places();
    await secrets.set(scope, 'A', '1');
    await secrets.set(scope, 'A', '2');
    expect(await secrets.resolve(scope, ['A'])).toEqual({ A: '2' });
    expect(await secrets.list(scope)).toHaveLength(1);
    expect(await secrets.remove(scope, 'A')).toBe(true);
    expect(await secrets.remove(scope, 'A')).toBe(false);
    expect(await secrets.list(scope)).toEqual([]);
  });

  test('lie encrypted in a file for their owner alone, each time differently', async () => {
    const { secrets, file, keyFile } = places();
    await secrets.set(scope, 'A', VALUE);
    await secrets.set(scope, 'B', VALUE);
    await secrets.set(other, 'A', VALUE);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain(VALUE);
    expect(text).not.toContain(Buffer.from(VALUE).toString('base64').slice(0, 16));
    const stored = (JSON.parse(text) as { secrets: { sealed: string; version: string }[] }).secrets;
    expect(new Set(stored.map(({ sealed }) => sealed)).size).toBe(3);
    expect(new Set(stored.map(({ version }) => version)).size).toBe(3);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(keyFile)).toHaveLength(32);
  });

  test('that are set all at once are all kept', async () => {
    const { secrets } = places();
    const names = Array.from({ length: 30 }, (_, i) => `NAME_${i}`);
    await Promise.all(names.map((name) => secrets.set(scope, name, `value of ${name}`)));
    const values = await secrets.resolve(scope, names);
    for (const name of names) expect(values[name]).toBe(`value of ${name}`);
  });

  test('that two processes use for the first time at once share one key', async () => {
    const { file, keyFile } = places();
    const two = [fileSecrets({ file, keyFile }), fileSecrets({ file: `${file}.other`, keyFile })];
    await Promise.all(two.map((each) => each.set(scope, 'A', VALUE)));
    for (const each of two) expect(await each.resolve(scope, ['A'])).toEqual({ A: VALUE });
  });

  test('that are missing are all named, with the command that sets them', async () => {
    const { secrets, keyFile } = places();
    const never = await refusal(secrets.resolve(scope, ['A', 'B']));
    expect(never.code).toBe('secret-missing');
    expect(existsSync(keyFile)).toBe(false);
    await secrets.set(scope, 'A', VALUE);
    await secrets.set(other, 'B', VALUE);
    const error = await refusal(secrets.resolve(scope, ['A', 'B', 'C']));
    expect(error.message).toContain('B, C');
    expect(error.next).toContain('evenkeel secrets set B --env production');
    expect(error.next).toContain('evenkeel secrets set C --env production');
    expect(error.next).not.toContain('set A ');
  });

  test.each(['lower', '1A', 'A-B', '', 'A B', '__proto__'])('cannot be called %j', async (name) => {
    const { secrets } = places();
    expect((await refusal(secrets.set(scope, name, VALUE))).code).toBe('secret-invalid');
  });

  test('that no environment can hold are refused', async () => {
    const { secrets } = places();
    expect((await refusal(secrets.set(scope, 'A', `${VALUE}\0`))).code).toBe('secret-invalid');
    expect((await refusal(secrets.set(scope, 'A', 'x'.repeat(200_000)))).code).toBe('secret-invalid');
  });
});

describe('a new value', () => {
  const versionOf = async (secrets: Secrets, name = 'A'): Promise<string> =>
    (await secrets.list(scope)).find((each) => each.name === name)?.version ?? '';

  test('gets a version of its own and says who set it; the same value again changes nothing', async () => {
    const { secrets, file } = places();
    await secrets.set(scope, 'A', VALUE, 'ada');
    const [first] = await secrets.list(scope);
    expect(first).toMatchObject({ name: 'A', setBy: 'ada' });
    const before = readFileSync(file, 'utf8');
    expect(await secrets.setAll(scope, new Map([['A', VALUE]]), 'grace')).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(await secrets.setAll(scope, new Map([['A', 'another']]), 'grace')).toEqual(['A']);
    const [second] = await secrets.list(scope);
    expect(second).toMatchObject({ setBy: 'grace' });
    expect(second?.version).not.toBe(first?.version);
    // Back to what it was is a new value too: nobody can tell from outside that it is an old one.
    await secrets.set(scope, 'A', VALUE);
    expect(await versionOf(secrets)).not.toBe(first?.version);
  });

  test('leaves the former one to who asks for it, until nobody needs it', async () => {
    const { secrets, file } = places();
    await secrets.set(scope, 'A', 'former value');
    const former = await versionOf(secrets);
    await secrets.set(scope, 'A', 'value of today');
    expect(await secrets.resolve(scope, ['A'])).toEqual({ A: 'value of today' });
    expect(await secrets.resolve(scope, ['A'], { A: former })).toEqual({ A: 'former value' });
    expect(await secrets.forgetFormer(({ version }) => version === former)).toBe(0);
    expect(await secrets.resolve(scope, ['A'], { A: former })).toEqual({ A: 'former value' });
    expect(await secrets.forgetFormer(() => false)).toBe(1);
    expect(await secrets.resolve(scope, ['A'], { A: former })).toEqual({ A: 'value of today' });
    expect(readFileSync(file, 'utf8')).not.toContain(former);
  });

  test('cannot be exchanged for a former one by who writes to the file', async () => {
    const { secrets, file } = places();
    await secrets.set(scope, 'A', 'former value');
    await secrets.set(scope, 'A', 'value of today');
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Record<'secrets' | 'former', { sealed: string }[]>;
    const [now, then] = [stored.secrets[0], stored.former[0]];
    if (now === undefined || then === undefined) throw new Error('both are stored');
    now.sealed = then.sealed;
    writeFileSync(file, JSON.stringify(stored));
    expect((await refusal(secrets.resolve(scope, ['A']))).code).toBe('secrets-unreadable');
  });

  test('goes with its name, and so do the former ones', async () => {
    const { secrets, file } = places();
    for (const value of ['one', 'two', 'three']) await secrets.set(scope, 'A', value);
    await secrets.remove(scope, 'A');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ secrets: [], former: [] });
  });

  test('of one that cannot be stored leaves all others unstored', async () => {
    const { secrets } = places();
    await secrets.set(scope, 'A', 'as it was');
    const values = new Map([
      ['A', 'new'],
      ['B', 'new'],
      ['C', `${VALUE}\0`],
    ]);
    expect((await refusal(secrets.setAll(scope, values, null))).code).toBe('secret-invalid');
    expect(await secrets.resolve(scope, ['A'])).toEqual({ A: 'as it was' });
    expect(await secrets.list(scope)).toHaveLength(1);
  });

  test('is stored beside those of a file from before there were versions', async () => {
    const { secrets, file, keyFile } = places();
    await secrets.set(scope, 'A', VALUE);
    const old = JSON.parse(readFileSync(file, 'utf8')) as { secrets: Record<string, unknown>[]; former?: unknown };
    // As it was written then: no version, sealed for none, nobody named, nothing former.
    const [entry] = old.secrets;
    if (entry === undefined) throw new Error('one is stored');
    entry['sealed'] = seal(readFileSync(keyFile), { ...scope, name: 'A', version: null }, 'from before');
    delete entry['version'];
    delete entry['setBy'];
    delete old.former;
    writeFileSync(file, JSON.stringify(old));
    expect(await secrets.resolve(scope, ['A'])).toEqual({ A: 'from before' });
    await secrets.set(scope, 'B', VALUE);
    await secrets.set(scope, 'A', 'from now');
    expect(await secrets.resolve(scope, ['A', 'B'])).toEqual({ A: 'from now', B: VALUE });
  });
});

describe('a store that somebody meddled with', () => {
  test('refuses a value that was altered, and names it', async () => {
    const { secrets, file } = places();
    await secrets.set(scope, 'A', VALUE);
    await secrets.set(scope, 'B', VALUE);
    edit(file, ({ secrets: [first] }) => {
      const bytes = Buffer.from(first?.['sealed'] ?? '', 'base64');
      bytes[14] = (bytes[14] ?? 0) ^ 1;
      if (first !== undefined) first['sealed'] = bytes.toString('base64');
    });
    const error = await refusal(secrets.resolve(scope, ['A', 'B']));
    expect(error.code).toBe('secrets-unreadable');
    expect(error.next).toContain('evenkeel secrets set A');
    expect(await secrets.resolve(scope, ['B'])).toEqual({ B: VALUE });
  });

  test.each(['name', 'environment'])('refuses values that were swapped by their %s', async (key) => {
    const { secrets, file } = places();
    await secrets.set(scope, 'A', VALUE);
    await secrets.set(key === 'name' ? scope : other, key === 'name' ? 'B' : 'A', 'harmless');
    edit(file, ({ secrets: [a, b] }) => {
      if (a !== undefined && b !== undefined) [a['sealed'], b['sealed']] = [b['sealed'] ?? '', a['sealed'] ?? ''];
    });
    expect((await refusal(secrets.resolve(scope, ['A']))).code).toBe('secrets-unreadable');
  });

  test('says when its key is another one, or lost, and makes no new one in its place', async () => {
    const { secrets, file, keyFile } = places();
    await secrets.set(scope, 'A', VALUE);
    const key = readFileSync(keyFile);
    writeFileSync(keyFile, Buffer.alloc(32, 7));
    expect((await refusal(secrets.resolve(scope, ['A']))).why).toContain('another key');
    expect((await refusal(secrets.set(scope, 'B', VALUE))).code).toBe('secrets-unreadable');
    rmSync(keyFile);
    expect((await refusal(secrets.resolve(scope, ['A']))).why).toContain('missing');
    expect((await refusal(secrets.set(scope, 'B', VALUE))).next).toContain(file);
    expect(existsSync(keyFile)).toBe(false);
    writeFileSync(keyFile, key, { mode: 0o600 });
    expect(await secrets.resolve(scope, ['A'])).toEqual({ A: VALUE });
  });

  test('says when its file or key is cut off', async () => {
    const { secrets, file, keyFile } = places();
    await secrets.set(scope, 'A', VALUE);
    truncateSync(keyFile, 20);
    expect((await refusal(secrets.resolve(scope, ['A']))).code).toBe('secrets-unreadable');
    truncateSync(file, 20);
    for (const work of [
      () => secrets.resolve(scope, ['A']),
      () => secrets.list(scope),
      () => secrets.set(scope, 'A', VALUE),
    ])
      expect((await refusal(work())).code).toBe('secrets-unreadable');
  });

  test('uses no key that others may read', async () => {
    const { secrets, keyFile } = places();
    await secrets.set(scope, 'A', VALUE);
    for (const mode of [0o640, 0o604]) {
      chmodSync(keyFile, mode);
      const error = await refusal(secrets.resolve(scope, ['A']));
      expect(error.code).toBe('secrets-key-exposed');
      expect(error.next).toContain(`chmod 600 ${keyFile}`);
    }
    chmodSync(keyFile, 0o600);
    expect(await secrets.resolve(scope, ['A'])).toEqual({ A: VALUE });
  });

  test.runIf(process.getuid?.() === 0)('uses no key that belongs to somebody else', async () => {
    const { secrets, keyFile } = places();
    await secrets.set(scope, 'A', VALUE);
    chownSync(keyFile, 65_534, 65_534);
    expect((await refusal(secrets.resolve(scope, ['A']))).code).toBe('secrets-key-exposed');
  });
});
