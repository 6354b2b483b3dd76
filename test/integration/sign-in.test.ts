import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { WHOLE_SCOPE } from '../../src/domain/access/identity.ts';
import { may } from '../../src/domain/access/may.ts';
import { SESSION_RULE } from '../../src/domain/access/sessions.ts';
import { LIMIT_OF_ADDRESS, LIMIT_OF_NAME } from '../../src/domain/access/sign-in-limits.ts';
import { nodeCredentials } from '../../src/drivers/access/credentials.ts';
import { fileSealer } from '../../src/drivers/secrets/file-sealer.ts';
import type { AccessDeps, Caller } from '../../src/engine/access/deps.ts';
import { addressKey } from '../../src/engine/access/limits.ts';
import { recogniseCookie, recogniseToken } from '../../src/engine/access/recognise.ts';
import {
  giveSecondFactor,
  signInByIdentity,
  signInByLink,
  signInWithPassword,
} from '../../src/engine/access/sign-in.ts';
import { hashArgon2 } from '../../src/platform/argon2.ts';
import { newId } from '../../src/platform/ids.ts';
import { totpCode } from '../../src/platform/totp.ts';
import { openMemoryStore } from '../../src/store/sqlite/open.ts';
import { tempDir } from '../support/temp.ts';

const PASSWORD = 'correct horse battery';
/** Cheap, and so outdated: what is tested is what is done with it. */
const CHEAP = { memory: 64, passes: 1, parallelism: 1 };

let deps: AccessDeps;
let now: number;
const caller: Caller = { address: '10.0.0.1', agent: 'Firefox', cookie: null };
const ann = { login: 'Ann@example.com ', password: PASSWORD };

beforeEach(async () => {
  now = 1_700_000_010_000;
  const folder = tempDir('sign-in');
  const state = await openMemoryStore();
  onTestFinished(() => state.close());
  const store = await state.access();
  const sealer = fileSealer({ file: join(folder, 'secrets.json'), keyFile: join(folder, 'secrets.key') });
  deps = {
    store,
    credentials: nodeCredentials({ sealer, issuer: 'evenkeel' }),
    clock: { now: () => now },
    newId,
    rule: SESSION_RULE,
  };
  await store.addFirstUser(
    { id: 'ann', login: 'ann@example.com', name: 'Ann', runsServer: true, createdAt: now },
    { id: 'g1', by: 'first start' },
  );
  await store.setPassword('ann', await hashArgon2(PASSWORD, CHEAP), now, null);
});

async function secondFactor(): Promise<(at: number) => string> {
  const { sealed, secret } = await deps.credentials.newTotp({ id: 'ann', login: 'ann@example.com' });
  await deps.store.setTotp('ann', sealed);
  await deps.store.useTotpStep('ann', sealed, 0);
  return (at) => totpCode(secret, at);
}

const refusal = { code: 'sign-in-refused', why: 'Name, password or code is wrong.' };

describe('with a password', () => {
  test('somebody is signed in, recognised by the cookie, and may what they may', async () => {
    const signedIn = await signInWithPassword(deps, ann, caller);
    if (signedIn.state !== 'signed-in') throw new Error(signedIn.state);
    const known = await recogniseCookie(deps, signedIn.cookie);
    expect(known?.session).toMatchObject({
      id: signedIn.session.id,
      method: 'password',
      address: '10.0.0.1',
      agent: 'Firefox',
    });
    const target = { on: 'organization', organization: 'default' } as const;
    expect(known !== null && may(known.who, 'people:write', target).allowed).toBe(true);
    expect(await recogniseCookie(deps, `${signedIn.cookie}x`)).toBeNull();
    await deps.store.endSession({ hash: deps.credentials.hashOf(signedIn.cookie) });
    expect(await recogniseCookie(deps, signedIn.cookie)).toBeNull();
  });

  test('the same is said of a wrong password, a name that is not there, one without a password, and one who is disabled', async () => {
    await deps.store.addUser({ id: 'bob', login: 'bob', name: 'Bob', runsServer: false, createdAt: now });
    await deps.store.addUser({ id: 'eve', login: 'eve', name: 'Eve', runsServer: false, createdAt: now });
    await deps.store.setPassword('eve', await hashArgon2(PASSWORD, CHEAP), now, null);
    await deps.store.setDisabled('eve', now);
    for (const given of [
      { ...ann, password: 'wrong' },
      { login: 'nobody', password: PASSWORD },
      { login: 'bob', password: PASSWORD },
      { login: 'eve', password: PASSWORD },
    ])
      await expect(signInWithPassword(deps, given, caller)).rejects.toMatchObject(refusal);
  });

  test('a hash of former parameters is made anew, and the password stays the same', async () => {
    await signInWithPassword(deps, ann, caller);
    const hash = (await deps.store.proofs({ id: 'ann' }))?.passwordHash ?? '';
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await signInWithPassword(deps, ann, caller)).toMatchObject({ state: 'signed-in' });
    expect((await deps.store.proofs({ id: 'ann' }))?.passwordHash).toBe(hash);
  });

  test('a session that was there before ends: one that was planted is worth nothing', async () => {
    const first = await signInWithPassword(deps, ann, caller);
    const second = await signInWithPassword(deps, ann, { ...caller, cookie: first.cookie });
    expect(await recogniseCookie(deps, first.cookie)).toBeNull();
    expect(await recogniseCookie(deps, second.cookie)).not.toBeNull();
  });

  test('many who guess at once get as few guesses as one, and the right password waits too', async () => {
    const guesses = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        signInWithPassword(deps, { ...ann, password: `guess ${i}` }, { ...caller, address: `10.0.1.${i}` }),
      ),
    );
    const codes = guesses.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'in'));
    expect(codes.filter((code) => code === 'sign-in-refused')).toHaveLength(LIMIT_OF_NAME.free);
    expect(codes.filter((code) => code === 'sign-in-limited')).toHaveLength(20 - LIMIT_OF_NAME.free);
    await expect(signInWithPassword(deps, ann, caller)).rejects.toMatchObject({
      code: 'sign-in-limited',
      retryable: true,
      next: 'Try again in 1 second.',
    });
    now += 1_000;
    expect(await signInWithPassword(deps, ann, caller)).toMatchObject({ state: 'signed-in' });
  });

  test('one address that tries many names has to wait', async () => {
    for (let i = 0; i < LIMIT_OF_ADDRESS.free; i++)
      await expect(
        signInWithPassword(
          deps,
          { login: 'ann@example.com', password: 'x' },
          { ...caller, address: '2001:db8::1' },
        ).catch(() => {
          // The name is forgotten each time, so that the address alone counts.
          return deps.store.attemptSucceeded({ forget: 'name:ann@example.com', takeOff: [] });
        }),
      ).resolves.toBeUndefined();
    const again = signInWithPassword(deps, ann, { ...caller, address: '2001:DB8:0:0:ffff::2' });
    await expect(again).rejects.toMatchObject({ code: 'sign-in-limited', why: 'Many from this address failed.' });
  });
});

describe('with a second factor', () => {
  test('the password alone opens nothing, and the code after it does, once', async () => {
    const code = await secondFactor();
    const first = await signInWithPassword(deps, ann, caller);
    expect(first.state).toBe('second-factor');
    expect(await recogniseCookie(deps, first.cookie)).toBeNull();
    const signedIn = await giveSecondFactor(deps, code(now), { ...caller, cookie: first.cookie });
    expect(await recogniseCookie(deps, signedIn.cookie)).not.toBeNull();
    // Neither the first step nor the code counts again.
    const again = giveSecondFactor(deps, code(now + 30_000), { ...caller, cookie: first.cookie });
    await expect(again).rejects.toMatchObject({ code: 'sign-in-refused', why: expect.stringContaining('Begin again') });
    const second = await signInWithPassword(deps, ann, caller);
    await expect(giveSecondFactor(deps, code(now), { ...caller, cookie: second.cookie })).rejects.toMatchObject(
      refusal,
    );
    expect(await giveSecondFactor(deps, code(now + 30_000), { ...caller, cookie: second.cookie })).toMatchObject({
      state: 'signed-in',
    });
  });

  test('of two second steps at once, with two codes that are right, one opens a session', async () => {
    const code = await secondFactor();
    const { cookie } = await signInWithPassword(deps, ann, caller);
    const steps = [code(now), code(now + 30_000)].map((each) => giveSecondFactor(deps, each, { ...caller, cookie }));
    const done = await Promise.allSettled(steps);
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await deps.store.sessions('ann', now, SESSION_RULE)).toHaveLength(1);
  });

  test('the first step does not wait forever, and codes cannot be guessed in a row by signing in again', async () => {
    const code = await secondFactor();
    const { cookie } = await signInWithPassword(deps, ann, caller);
    for (let i = 0; i < LIMIT_OF_NAME.free; i++)
      await expect(giveSecondFactor(deps, '000000', { ...caller, cookie })).rejects.toMatchObject(refusal);
    const next = await signInWithPassword(deps, ann, { ...caller, cookie });
    await expect(giveSecondFactor(deps, code(now), { ...caller, cookie: next.cookie })).rejects.toMatchObject({
      code: 'sign-in-limited',
    });
    now += 5 * 60_000;
    await expect(giveSecondFactor(deps, code(now), { ...caller, cookie: next.cookie })).rejects.toMatchObject({
      code: 'sign-in-refused',
    });
  });

  test('a cookie of somebody who is signed in is no first step', async () => {
    const { cookie } = await signInWithPassword(deps, ann, caller);
    const code = await secondFactor();
    await expect(giveSecondFactor(deps, code(now), { ...caller, cookie })).rejects.toMatchObject({
      code: 'sign-in-refused',
    });
    await expect(giveSecondFactor(deps, code(now), caller)).rejects.toMatchObject({ code: 'sign-in-refused' });
  });
});

test('a link signs somebody in once, and a second factor is asked for all the same', async () => {
  const link = async () => {
    const { text, hash } = deps.credentials.newSecret();
    await deps.store.addLink({
      hash,
      user: 'ann',
      purpose: 'reset',
      createdBy: 'local',
      createdAt: now,
      expiresAt: now + 60_000,
    });
    return text;
  };
  const text = await link();
  expect(await signInByLink(deps, text, caller)).toMatchObject({ state: 'signed-in', purpose: 'reset' });
  await expect(signInByLink(deps, text, caller)).rejects.toMatchObject({ code: 'sign-in-refused' });
  await secondFactor();
  expect(await signInByLink(deps, await link(), caller)).toMatchObject({ state: 'second-factor' });
});

test('an account elsewhere signs in the user to whom it belongs, and nobody else', async () => {
  const account = { issuer: 'https://id.example.com', subject: '7' };
  await expect(signInByIdentity(deps, account, caller)).rejects.toMatchObject({ code: 'sign-in-refused' });
  await deps.store.linkIdentity({ ...account, user: 'ann', linkedAt: now });
  expect(await signInByIdentity(deps, account, caller)).toMatchObject({ state: 'signed-in', user: { id: 'ann' } });
  await deps.store.setDisabled('ann', now);
  await expect(signInByIdentity(deps, account, caller)).rejects.toMatchObject({ code: 'sign-in-refused' });
});

test('a token is recognised with its owner, remembers when it was used, and is worth nothing once revoked', async () => {
  const { text, hash, prefix } = deps.credentials.newApiToken();
  await deps.store.addToken({
    id: 'to_1',
    hash,
    prefix,
    name: 'ci',
    user: 'ann',
    madeBy: null,
    scope: { ...WHOLE_SCOPE, organization: 'default' },
    createdAt: now,
    expiresAt: now + 10_000,
    usedAt: null,
    usedFrom: null,
  });
  const who = await recogniseToken(deps, text, '10.0.0.9');
  expect(who).toMatchObject({ kind: 'token', name: 'ann@example.com (ci)', owner: { id: 'ann' } });
  expect(await deps.store.tokens({ user: 'ann' })).toMatchObject([{ usedAt: now, usedFrom: '10.0.0.9' }]);
  expect(await recogniseToken(deps, prefix, null)).toBeNull();
  await deps.store.revokeToken('to_1');
  expect(await recogniseToken(deps, text, null)).toBeNull();
});

test('addresses count by what a client was given', () => {
  expect(addressKey('10.0.0.1')).toBe('address:10.0.0.1');
  expect(addressKey('::ffff:10.0.0.1')).toBe('address:::ffff:10.0.0.1');
  const same = ['2001:db8::1', '2001:0db8:0000:0000:1::', '2001:db8:0:0:a:b:c:d%eth0'].map(addressKey);
  expect(new Set(same)).toEqual(new Set(['address:2001:db8:0:0::/64']));
  expect(addressKey('::1')).toBe('address:0:0:0:0::/64');
});
