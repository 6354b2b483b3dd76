import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { BearerIssuer } from '../../src/domain/access/elsewhere.ts';
import { humanOf } from '../../src/domain/access/identity.ts';
import { may } from '../../src/domain/access/may.ts';
import { tokenVerifier } from '../../src/drivers/access/openid/token-verifier.ts';
import { type JwtDeps, recogniseJwt } from '../../src/engine/access/recognise-jwt.ts';
import type { AccessStore } from '../../src/ports/access-store.ts';
import { openMemoryStore } from '../../src/store/sqlite/open.ts';
import { type MadeIssuer, madeIssuer, newKey, signedByPublicKey, unsigned } from '../support/oidc/made-issuer.ts';

/** Short, so that what happens in half a minute can be waited for. */
const KEYS = { goodMs: 600_000, cooldownMs: 300, badMs: 300 };

let issuer: MadeIssuer;
let store: AccessStore;
let now: number;

beforeEach(async () => {
  issuer = await madeIssuer();
  now = Date.now();
  const state = await openMemoryStore();
  onTestFinished(() => state.close());
  store = await state.access();
  await store.addFirstUser(
    { id: 'ann', login: 'ann@example.com', name: 'Ann', runsServer: true, createdAt: 1 },
    { id: 'g1', by: 'first start' },
  );
});

const named = (over: Partial<BearerIssuer> = {}): BearerIssuer => ({
  id: 'shop',
  issuer: issuer.url,
  audience: ['evenkeel'],
  keys: null,
  ca: null,
  login: 'email',
  trustsEmails: false,
  roles: [],
  ...over,
});

const open = (over: Partial<BearerIssuer> = {}, keys = KEYS): JwtDeps => ({
  store,
  tokens: tokenVerifier({ issuers: [named(over)], now: () => now, keys }),
});

const unauthorized = (why: string) => ({ code: 'unauthorized', why: expect.stringContaining(why) });

const staging = { on: 'environment', organization: 'default', project: 'shop', environment: 'staging' } as const;

describe('a token of an issuer that was named', () => {
  test('is somebody, who may what its claims give there, and nothing else', async () => {
    const role = { organization: 'default', project: 'shop', environment: 'staging' };
    await store.saveRole('default', { name: 'deployer', permissions: ['environment:deploy'] }, 1, 'new');
    const deps = open({
      roles: [
        { ...role, role: 'deployer', when: { claim: 'realm_access.roles', value: 'ci' } },
        { ...role, role: 'admin', environment: '*', when: { claim: 'realm_access.roles', value: 'boss' } },
        { ...role, role: 'no-such-role', when: null },
        { ...role, organization: 'elsewhere', role: 'admin', when: null },
      ],
    });
    const who = await recogniseJwt(deps, await issuer.sign({ realm_access: { roles: ['ci', 'dev'] } }));
    expect(who).toMatchObject({ kind: 'bearer', issuer: issuer.url, subject: 'bob', name: 'shop:bob', user: null });
    if (who === null) throw new Error('nobody');
    expect(who.memberships).toHaveLength(1);
    expect(may(who, 'environment:deploy', staging).allowed).toBe(true);
    expect(may(who, 'environment:deploy', { ...staging, environment: 'production' }).allowed).toBe(false);
    expect(may(who, 'rollout:approve', staging).allowed).toBe(false);
    expect(may(who, 'server:operate', { on: 'server' }).allowed).toBe(false);
    const other = await recogniseJwt(deps, await issuer.sign({ realm_access: { roles: 'ci boss' } }));
    expect(other?.memberships).toEqual([]);
  });

  test('is the same human as the user who has linked the account; and nobody, when that one is disabled', async () => {
    const deps = open();
    await store.linkIdentity({ issuer: issuer.url, subject: 'bob', user: 'ann', linkedAt: 1 });
    const who = await recogniseJwt(deps, await issuer.sign({}));
    expect(who !== null && humanOf(who)).toBe('person:ann@example.com');
    await store.setDisabled('ann', 2);
    await expect(recogniseJwt(deps, await issuer.sign({}))).rejects.toMatchObject(unauthorized('disabled'));
  });

  test('goes by an address only if it is verified: nobody approves in the name of somebody else', async () => {
    const deps = open();
    const email = 'ann@example.com';
    expect(await recogniseJwt(deps, await issuer.sign({ email }))).toMatchObject({ name: 'shop:bob' });
    const verified = await issuer.sign({ email, email_verified: true });
    expect(await recogniseJwt(deps, verified)).toMatchObject({ name: 'ann@example.com' });
  });

  test('is believed by keys whose address the operator gave, without asking for more', async () => {
    const deps = open({ keys: `${issuer.url}/keys` });
    expect(await recogniseJwt(deps, await issuer.sign({}))).not.toBeNull();
    expect(issuer.asked('/.well-known/openid-configuration')).toBe(0);
  });

  test('costs no question once the keys are known', async () => {
    const deps = open();
    await Promise.all(Array.from({ length: 20 }, async () => recogniseJwt(deps, await issuer.sign({}))));
    expect(issuer.asked('/keys')).toBe(1);
    expect(issuer.asked('/.well-known/openid-configuration')).toBe(1);
  });
});

test('what is no JWT, or one of nobody who was named, is left to others', async () => {
  const deps = open();
  for (const text of [
    '',
    'ek_abc_def',
    'a.b.c',
    'eyJ.e30.',
    `eyJ${'a'.repeat(20_000)}.e30.a`,
    unsigned({}),
    unsigned({ iss: 7 }),
  ])
    expect(await recogniseJwt(deps, text)).toBeNull();
  expect(await recogniseJwt(deps, await issuer.sign({ iss: 'https://evil.example.com' }))).toBeNull();
  expect(await recogniseJwt(deps, await issuer.sign({ iss: `${issuer.url}/` }))).toBeNull();
  expect(issuer.asked('/keys')).toBe(0);
});

describe('a token counts for nothing', () => {
  const seconds = (offset: number): number => Math.floor(now / 1000) + offset;
  const claims = () => ({ iss: issuer.url, aud: 'evenkeel', sub: 'bob', exp: seconds(600) });

  test.each<[string, string, () => Promise<string> | string]>([
    ['that has expired', 'it has expired', () => issuer.sign({ exp: seconds(-11) })],
    ['without an end', 'its exp is missing', () => issuer.sign({ exp: undefined })],
    ['that does not count yet', 'nbf', () => issuer.sign({ nbf: seconds(60) })],
    ['for somebody else', 'aud', () => issuer.sign({ aud: 'another' })],
    ['for nobody', 'aud', () => issuer.sign({ aud: undefined })],
    ['of nobody', 'sub', () => issuer.sign({ sub: undefined })],
    ['of an empty name', 'names nobody', () => issuer.sign({ sub: '' })],
    ['that is not signed', 'a method that does not count', () => unsigned(claims())],
    [
      'signed with the public key as a secret',
      'a method that does not count',
      () => signedByPublicKey(issuer.keys[0] as never, claims()),
    ],
    [
      'signed with a key of the same name',
      'its signature is wrong',
      async () => issuer.sign({}, { key: await newKey('first') }),
    ],
    [
      'that was changed',
      'its signature is wrong',
      async () =>
        (await issuer.sign({})).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify({ ...claims(), sub: 'ann' })).toString('base64url')}.`,
        ),
    ],
    [
      'that brings its own key',
      'a key that its issuer does not name',
      async () => {
        const key = await newKey('mine');
        return issuer.sign({}, { key, header: { jwk: key.jwk, jku: 'http://127.0.0.1:1/keys' } });
      },
    ],
    ['of another kind', 'logout+jwt', () => issuer.sign({}, { header: { typ: 'logout+jwt' } })],
    ['that is bound to a key', 'bound to a key', () => issuer.sign({ cnf: { jkt: 'x' } })],
    [
      'with what must be understood and is not',
      'it cannot be read',
      async () => {
        const [, payload, signature] = (await issuer.sign({})).split('.');
        const head = { alg: 'RS256', kid: 'first', crit: ['odd'], odd: true };
        return `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${payload}.${signature}`;
      },
    ],
  ])('%s', async (_, why, token) => {
    await expect(recogniseJwt(open(), await token())).rejects.toMatchObject(unauthorized(why));
  });

  test('though clocks may differ a little', async () => {
    const deps = open();
    expect(await recogniseJwt(deps, await issuer.sign({ exp: seconds(-5) }))).not.toBeNull();
    expect(await recogniseJwt(deps, await issuer.sign({ nbf: seconds(5) }))).not.toBeNull();
  });
});

describe('keys', () => {
  test('a flood of tokens that name keys there are not asks the issuer once more, and harms nobody', async () => {
    const deps = open({}, { ...KEYS, cooldownMs: 600_000 });
    expect(await recogniseJwt(deps, await issuer.sign({}))).not.toBeNull();
    const foreign = await newKey('x');
    const flood = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, i) =>
        recogniseJwt(deps, await issuer.sign({}, { key: foreign, header: { kid: `made-up-${i}` } })),
      ),
    );
    expect(flood.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    expect(issuer.asked('/keys')).toBe(1);
    expect(await recogniseJwt(deps, await issuer.sign({}))).not.toBeNull();
  });

  test('one that takes the place of another is found, and the former one counts no more', async () => {
    const deps = open();
    const former = await issuer.sign({});
    expect(await recogniseJwt(deps, former)).not.toBeNull();
    issuer.keys = [await newKey('second', 'ES256')];
    await expect
      .poll(async () => recogniseJwt(deps, await issuer.sign({})).catch(() => null), { timeout: 10_000 })
      .not.toBeNull();
    await expect(recogniseJwt(deps, former)).rejects.toMatchObject(unauthorized('a key that its issuer does not name'));
  });

  test('cannot be had: that is said as something that passes, and not asked again at once', async () => {
    const deps = open({}, { ...KEYS, badMs: 600_000 });
    issuer.keysReply = { status: 500 };
    for (let i = 0; i < 20; i++)
      await expect(recogniseJwt(deps, await issuer.sign({}))).rejects.toMatchObject({
        code: 'issuer-away',
        retryable: true,
      });
    expect(issuer.asked('/keys')).toBe(1);
  });

  test('are back when the issuer is', async () => {
    const deps = open();
    issuer.keysReply = { status: 500 };
    await expect(recogniseJwt(deps, await issuer.sign({}))).rejects.toMatchObject({ code: 'issuer-away' });
    issuer.keysReply = null;
    await expect
      .poll(async () => recogniseJwt(deps, await issuer.sign({})).catch(() => null), { timeout: 10_000 })
      .not.toBeNull();
  });

  test.each<[string, { status: number; headers?: Record<string, string>; body?: string }]>([
    ['by a redirect', { status: 302, headers: { location: 'http://169.254.169.254/' } }],
    ['from what is no list of keys', { status: 200, body: '{"keys":7}' }],
    ['from what is no JSON', { status: 200, body: '<html>' }],
    ['from what has no end', { status: 200, body: 'x'.repeat(600 * 1024) }],
  ])('are not taken %s', async (_, reply) => {
    issuer.keysReply = reply;
    await expect(recogniseJwt(open(), await issuer.sign({}))).rejects.toMatchObject({ code: 'issuer-away' });
  });

  test('that are secrets verify nothing', async () => {
    const deps = open();
    const secret = Buffer.from('a secret that everybody can read');
    issuer.keysReply = {
      status: 200,
      body: JSON.stringify({ keys: [{ kty: 'oct', k: secret.toString('base64url'), kid: 'first', alg: 'HS256' }] }),
    };
    const token = await signedByPublicKey(issuer.keys[0] as never, { iss: issuer.url, aud: 'evenkeel', sub: 'bob' });
    await expect(recogniseJwt(deps, token)).rejects.toMatchObject(unauthorized('a method that does not count'));
  });

  test('at an address of the cloud are not asked for, and an issuer of another name is not believed', async () => {
    issuer.discovery['jwks_uri'] = 'http://169.254.169.254/keys';
    await expect(recogniseJwt(open(), await issuer.sign({}))).rejects.toMatchObject({ code: 'issuer-address-refused' });
    issuer.discovery = { ...issuer.discovery, jwks_uri: `${issuer.url}/keys`, issuer: 'https://evil.example.com' };
    await expect(recogniseJwt(open(), await issuer.sign({}))).rejects.toMatchObject({ code: 'issuer-mistaken' });
  });
});
