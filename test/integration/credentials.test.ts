import { createHmac } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeCredentials } from '../../src/drivers/access/credentials.ts';
import { fileSealer } from '../../src/drivers/secrets/file-sealer.ts';
import { fileSecrets } from '../../src/drivers/secrets/file-secrets.ts';
import { hashArgon2, matchesArgon2 } from '../../src/platform/argon2.ts';
import { matchingStep, newTotpSecret, totpCode, totpUri } from '../../src/platform/totp.ts';
import { tempDir } from '../support/temp.ts';

const at = (folder: string) => ({ file: join(folder, 'secrets.json'), keyFile: join(folder, 'secrets.key') });
const inFolder = (folder: string) => nodeCredentials({ sealer: fileSealer(at(folder)), issuer: 'evenkeel' });

describe('passwords', () => {
  const credentials = inFolder('/nowhere');

  test('match their own hash only, which differs each time and says what it cost', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => credentials.hashPassword('correct horse battery')));
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(other);
    expect(await credentials.checkPassword('correct horse battery', one ?? '')).toEqual({
      matches: true,
      outdated: false,
    });
    expect(await credentials.checkPassword('correct horse batterz', one ?? '')).toEqual({
      matches: false,
      outdated: false,
    });
  });

  test('are the same however their letters are composed', async () => {
    const hash = await credentials.hashPassword('crème brûlée zwölf'.normalize('NFD'));
    expect(await credentials.checkPassword('crème brûlée zwölf'.normalize('NFC'), hash)).toMatchObject({
      matches: true,
    });
  });

  test('hashed with former parameters are known, and told to be outdated', async () => {
    const old = await hashArgon2('correct horse battery', { memory: 8_192, passes: 1, parallelism: 1 });
    expect(await credentials.checkPassword('correct horse battery', old)).toEqual({ matches: true, outdated: true });
    expect(await credentials.checkPassword('wrong horse battery', old)).toEqual({ matches: false, outdated: false });
  });

  test('agree with what the reference implementation makes', async () => {
    // From the test vectors of the reference implementation of Argon2 (id, version 0x13, 256 KiB).
    const reference = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    expect(await matchesArgon2('password', reference)).toBe(true);
  });

  test('match nothing when there is no hash, or one that asks for all of the memory', async () => {
    expect(await matchesArgon2('', null)).toBe(false);
    for (const bad of [
      '',
      '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
      'scrypt$1',
    ])
      expect(await matchesArgon2('password', bad)).toBe(false);
  });

  test('that a crowd sends at once are looked at two at a time, and refused beyond fifty that wait', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 55 }, () =>
        matchesArgon2('x', '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'),
      ),
    );
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    expect(await matchesArgon2('x', null)).toBe(false);
    const busy = Array.from({ length: 55 }, () =>
      credentials.checkPassword(
        'x',
        '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
      ),
    );
    const refused = (await Promise.allSettled(busy)).find((each) => each.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'sign-in-busy', retryable: true });
  });
});

describe('codes of an authenticator app', () => {
  const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'; // '12345678901234567890', of RFC 6238, appendix B

  test('are those of the RFC, cut to six digits', () => {
    const vectors = {
      59: '287082',
      1111111109: '081804',
      1111111111: '050471',
      1234567890: '005924',
      2000000000: '279037',
      20000000000: '353130',
    };
    for (const [seconds, code] of Object.entries(vectors)) expect(totpCode(SECRET, Number(seconds) * 1_000)).toBe(code);
  });

  test('hold with a clock that is one step off, and no more', () => {
    const now = 1_700_000_010_000;
    const none = { now, usedStep: null };
    const step = Math.floor(now / 30_000);
    for (const off of [-1, 0, 1])
      expect(matchingStep(SECRET, totpCode(SECRET, now + off * 30_000), none)).toBe(step + off);
    for (const off of [-2, 2]) expect(matchingStep(SECRET, totpCode(SECRET, now + off * 30_000), none)).toBeNull();
    expect(matchingStep(SECRET, ` ${totpCode(SECRET, now).replace(/^.../, '$& ')} `, none)).toBe(step);
    for (const bad of ['', '12345', '1234567', 'abcdef', '１２３４５６'])
      expect(matchingStep(SECRET, bad, none)).toBeNull();
  });

  test('count once: neither the same one nor an earlier one is taken again', () => {
    const now = 1_700_000_010_000;
    const step = Math.floor(now / 30_000);
    const used = { now, usedStep: step };
    expect(matchingStep(SECRET, totpCode(SECRET, now), used)).toBeNull();
    expect(matchingStep(SECRET, totpCode(SECRET, now - 30_000), used)).toBeNull();
    expect(matchingStep(SECRET, totpCode(SECRET, now + 30_000), used)).toBe(step + 1);
  });

  test('come from secrets of 160 bits that an app can read', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret()).not.toBe(secret);
    expect(totpUri({ issuer: 'even keel', account: 'ann@example.com', secret })).toBe(
      `otpauth://totp/even%20keel:ann%40example.com?secret=${secret}&issuer=even%20keel&digits=6&period=30`,
    );
    // Read once more by the definition of base32 alone.
    let bits = 0n;
    for (const each of secret) bits = bits * 32n + BigInt('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(each));
    const key = Buffer.from(bits.toString(16).padStart(40, '0'), 'hex');
    const mac = createHmac('sha1', key)
      .update(Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]))
      .digest();
    const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
    expect(totpCode(secret, 30_000)).toBe(String(number % 1_000_000).padStart(6, '0'));
  });

  test('are checked against a secret that lies sealed, for its user alone', async () => {
    const credentials = inFolder(tempDir('credentials'));
    const { sealed, secret, uri } = await credentials.newTotp({ id: 'u1', login: 'ann' });
    expect(sealed).not.toContain(secret);
    expect(uri).toContain(secret);
    const now = 1_700_000_010_000;
    const code = totpCode(secret, now);
    const step = await credentials.checkTotp({ id: 'u1' }, code, { sealed, usedStep: null }, now);
    expect(step).toBe(Math.floor(now / 30_000));
    expect(await credentials.checkTotp({ id: 'u1' }, code, { sealed, usedStep: step }, now)).toBeNull();
    await expect(credentials.checkTotp({ id: 'u2' }, code, { sealed, usedStep: null }, now)).rejects.toMatchObject({
      code: 'sealed-unreadable',
      why: 'it was altered',
    });
  });
});

describe('the key that texts are sealed with', () => {
  test('is that of the secrets store, whichever is used first', async () => {
    const folder = tempDir('sealer');
    const sealer = fileSealer(at(folder));
    const sealed = await sealer.seal('here', 'ahoy');
    const secrets = fileSecrets(at(folder));
    const scope = { project: 'chat', environment: 'production' };
    await secrets.set(scope, 'KEY', 'value of a secret');
    expect(await secrets.resolve(scope, ['KEY'])).toEqual({ KEY: 'value of a secret' });
    expect(await sealer.open('here', sealed)).toBe('ahoy');
    await expect(sealer.open('there', sealed)).rejects.toMatchObject({ code: 'sealed-unreadable' });
  });

  test('is not made anew when it was lost with secrets that need it, and the error says what to do', async () => {
    const folder = tempDir('sealer');
    const sealer = fileSealer(at(folder));
    await fileSecrets(at(folder)).set({ project: 'chat', environment: 'production' }, 'KEY', 'value');
    const sealed = await sealer.seal('here', 'ahoy');
    rmSync(at(folder).keyFile);
    await expect(sealer.seal('here', 'ahoy')).rejects.toMatchObject({ code: 'secrets-unreadable' });
    await expect(sealer.open('here', sealed)).rejects.toMatchObject({
      code: 'sealed-unreadable',
      why: expect.stringContaining('missing'),
    });
    writeFileSync(at(folder).keyFile, Buffer.alloc(32, 7), { mode: 0o600 });
    await expect(sealer.open('here', sealed)).rejects.toMatchObject({ why: expect.stringContaining('another key') });
  });
});

test('tokens are long, look like what they are, and are found by their hash', () => {
  const credentials = inFolder('/nowhere');
  const token = credentials.newApiToken();
  expect(token.text).toMatch(/^ek_[0-9a-z]{8}_[0-9a-z]{52}$/);
  expect(token.text.startsWith(`${token.prefix}_`)).toBe(true);
  expect(credentials.hashOf(token.text)).toBe(token.hash);
  expect(credentials.newSecret().text).not.toBe(credentials.newSecret().text);
  expect(credentials.sameText('a', 'a')).toBe(true);
  expect(credentials.sameText('a', 'ab')).toBe(false);
});
