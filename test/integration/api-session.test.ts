import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { totpCode } from '../../src/platform/totp.ts';
import { clockAhead } from '../support/api-world.ts';
import { openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';

const PASSWORD = 'correct horse battery';

let it: WebWorld;
let browser: Visitor;

beforeEach(async () => {
  it = await openWebWorld();
  browser = it.browser();
});
afterEach(() => it.close());

const signedInByLink = async (): Promise<Visitor> => {
  const visitor = it.browser();
  expect(await visitor.ask('POST', 'session/link', { link: await it.link() })).toMatchObject({
    status: 200,
    body: { state: 'signed-in' },
  });
  return visitor;
};

describe('a link from the machine', () => {
  test('signs in once, as somebody who runs the server and is admin of what is there', async () => {
    expect(await browser.ask('GET', 'session')).toMatchObject({
      status: 200,
      body: { state: 'anonymous', first: true, providers: [] },
    });
    const link = await it.link();
    expect((await browser.ask('POST', 'session/link', { link })).body).toMatchObject({
      state: 'signed-in',
      who: { kind: 'user', name: 'operator', user: { runsServer: true, hasPassword: false } },
      session: { method: 'link' },
      server: expect.arrayContaining(['server:operate', 'organizations:manage']),
      organizations: [{ id: 'default', permissions: expect.arrayContaining(['people:write', 'audit:read']) }],
    });
    expect((await browser.ask('GET', 'status')).status).toBe(200);
    expect(await it.browser().ask('POST', 'session/link', { link })).toMatchObject({
      status: 401,
      code: 'sign-in-refused',
    });
    expect((await it.browser().ask('GET', 'session')).body).toMatchObject({ state: 'anonymous', first: false });
  });

  test('is of the same user the next time, and gives up the one before it', async () => {
    const [first, second] = [await it.link(), await it.link()];
    expect((await browser.ask('POST', 'session/link', { link: first })).code).toBe('sign-in-refused');
    expect((await browser.ask('POST', 'session/link', { link: second })).status).toBe(200);
    const { store } = await it.deps.access();
    expect(await store.users()).toHaveLength(1);
  });
});

describe('a session', () => {
  test('ends when one signs out, and what its cookie held lets nobody in', async () => {
    const visitor = await signedInByLink();
    const { cookie } = visitor;
    expect((await visitor.ask('DELETE', 'session')).body).toMatchObject({ state: 'anonymous' });
    expect(visitor.cookie).toBeNull();
    browser.cookie = cookie;
    expect((await browser.ask('GET', 'status')).code).toBe('unauthorized');
  });

  test('is never the one that was there before: nobody plants one', async () => {
    browser.cookie = 'evenkeel=planted';
    await browser.ask('POST', 'session/link', { link: await it.link() });
    const first = browser.cookie;
    expect(first).not.toContain('planted');
    await browser.ask('POST', 'session/link', { link: await it.link() });
    const second = browser.cookie;
    expect(second).not.toBe(first);
    browser.cookie = first;
    expect((await browser.ask('GET', 'status')).code).toBe('unauthorized');
  });

  test('is not one that another page of this host has planted beside it', async () => {
    const [mine, theirs] = [await signedInByLink(), await signedInByLink()];
    for (const cookies of [
      [mine.cookie, theirs.cookie],
      [theirs.cookie, mine.cookie],
    ]) {
      browser.cookie = cookies.join('; ');
      expect((await browser.ask('GET', 'status')).code).toBe('unauthorized');
    }
  });

  test('can be seen and ended from another one', async () => {
    const [here, there] = [await signedInByLink(), await signedInByLink()];
    const { sessions } = (await here.ask('GET', 'sessions')).body as { sessions: { id: string; current: boolean }[] };
    expect(sessions.map(({ current }) => current)).toEqual(expect.arrayContaining([false, true]));
    const other = sessions.find(({ current }) => !current);
    expect((await here.ask('DELETE', `sessions/${other?.id}`)).body).toEqual({ ended: true });
    expect((await there.ask('GET', 'status')).code).toBe('unauthorized');
    expect((await here.ask('GET', 'status')).status).toBe(200);
  });

  test('is a cookie that no script and no other site sees, kept by nobody on the way', async () => {
    const reply = await fetch(`http://127.0.0.1:${it.port}/api/v1/session/link`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ link: await it.link() }),
    });
    expect(reply.headers.get('set-cookie')).toMatch(/^evenkeel-[0-9a-f]+=.+; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(reply.headers.get('cache-control')).toBe('no-store');
  });
});

describe('a password', () => {
  test('is chosen after a link without the one before, and signs in; later it takes the present one', async () => {
    const visitor = await signedInByLink();
    expect((await visitor.ask('PUT', 'session/password', { password: 'short' })).code).toBe('password-weak');
    expect((await visitor.ask('PUT', 'session/password', { password: PASSWORD })).status).toBe(200);
    const there = it.browser();
    expect((await there.ask('POST', 'session', { login: 'Operator ', password: PASSWORD })).body).toMatchObject({
      state: 'signed-in',
      session: { method: 'password' },
    });
    const next = { password: 'another horse battery' };
    expect((await there.ask('PUT', 'session/password', next)).code).toBe('sign-in-refused');
    expect((await there.ask('PUT', 'session/password', { ...next, current: PASSWORD })).body).toEqual({ ended: 1 });
    expect((await visitor.ask('GET', 'status')).code).toBe('unauthorized');
  });

  test('cannot be tried without end, and who is wrong learns nothing', async () => {
    await (await signedInByLink()).ask('PUT', 'session/password', { password: PASSWORD });
    const tries = [];
    for (let n = 0; n < 7; n++) tries.push(await browser.ask('POST', 'session', { login: 'operator', password: 'no' }));
    expect(tries.slice(0, 5).map(({ status, code }) => [status, code])).toEqual(
      Array.from({ length: 5 }, () => [401, 'sign-in-refused']),
    );
    expect(tries.at(-1)).toMatchObject({ status: 429, code: 'sign-in-limited' });
    const nobody = await it.browser().ask('POST', 'session', { login: 'nobody', password: 'no' });
    expect(nobody.body).toEqual(tries[0]?.body);
  });
});

test('a second factor is asked for once it is confirmed, and a code counts once', async () => {
  const visitor = await signedInByLink();
  await visitor.ask('PUT', 'session/password', { password: PASSWORD });
  const { secret, uri } = (await visitor.ask('POST', 'session/second-factor', {})).body as Record<string, string>;
  expect(uri).toMatch(/^otpauth:\/\/totp\//);
  const code = (): string => totpCode(secret ?? '', clockAhead.now());
  expect((await visitor.ask('PUT', 'session/second-factor', { code: '000000' })).code).toBe('sign-in-refused');
  const first = code();
  expect((await visitor.ask('PUT', 'session/second-factor', { code: first })).status).toBe(200);
  expect((await visitor.ask('POST', 'session/second-factor', {})).code).toBe('second-factor-exists');

  expect((await browser.ask('POST', 'session', { login: 'operator', password: PASSWORD })).body).toMatchObject({
    state: 'second-factor',
  });
  expect((await browser.ask('GET', 'status')).code).toBe('unauthorized');
  expect((await browser.ask('GET', 'session')).body).toEqual({ state: 'second-factor', login: 'operator' });
  expect((await browser.ask('POST', 'session/code', { code: first })).code).toBe('sign-in-refused');
  clockAhead.ahead += 31_000;
  expect((await browser.ask('POST', 'session/code', { code: code() })).body).toMatchObject({ state: 'signed-in' });
});

test('who signed in, who failed to and who left is in the audit, and nothing of what they typed', async () => {
  const link = await it.link();
  await browser.ask('POST', 'session/link', { link });
  await browser.ask('PUT', 'session/password', { password: PASSWORD });
  await it.browser().ask('POST', 'session', { login: 'operator', password: 'wrong battery horse' });
  await browser.ask('DELETE', 'session');
  const { acts } = (await it.client.json({ path: '/api/v1/audit' })) as { acts: Record<string, unknown>[] };
  expect(acts.map(({ operation, who, source, result }) => [operation, who, source, result])).toEqual([
    ['signOut', 'operator', '127.0.0.1', 'done'],
    ['signIn', 'nobody', '127.0.0.1', 'refused'],
    ['setPassword', 'operator', '127.0.0.1', 'done'],
    ['openLink', 'operator', '127.0.0.1', 'done'],
    ['createSignInLink', 'operator', 'socket', 'done'],
  ]);
  const all = JSON.stringify(acts);
  for (const secret of [link, PASSWORD, 'wrong battery horse']) expect(all).not.toContain(secret);
});

test('the local command has no session, and is told what to do instead', async () => {
  await expect(it.client.json({ path: '/api/v1/sessions' })).rejects.toMatchObject({ code: 'session-needed' });
});

test('whoever runs the server from elsewhere gets no way in as somebody who may more, and a token none at all', async () => {
  const { store, newId, clock } = await it.deps.access();
  const now = clock.now();
  const admin = await signedInByLink();
  const made = await admin.ask('POST', 'tokens', { name: 'manages', permissions: ['organizations:manage'] });
  const id = newId('us');
  await store.addUser({ id, login: 'runner', name: 'Runner', runsServer: true, createdAt: now });
  const runner = it.browser();
  await runner.ask('POST', 'session/link', { link: await it.link('runner') });
  for (const visitor of [runner, it.withToken(String(made.body['text']))])
    for (const body of [{ login: 'operator' }, {}])
      expect(await visitor.ask('POST', 'sign-in-links', body)).toMatchObject({ status: 403, code: 'forbidden' });
  expect(await admin.ask('POST', 'sign-in-links', { login: 'runner' })).toMatchObject({ status: 200 });
});
