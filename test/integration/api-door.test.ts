import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Door } from '../../src/api/doors.ts';
import { signInElsewhere } from '../../src/app/elsewhere.ts';
import { NOWHERE } from '../../src/domain/access/elsewhere.ts';
import { addressList } from '../../src/domain/traffic/address.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { clockAhead } from '../support/api-world.ts';
import { type Reply, send } from '../support/edge-harness.ts';
import { openWebWorld, type WebWorld } from '../support/web-world.ts';

/** People wait by this clock: it stands, however long the machine takes. */
let now: number;
const realNow = clockAhead.now;
function stopClock(): void {
  now = Date.now();
  clockAhead.now = () => now;
}

const PASSWORD = 'correct horse battery';

let it: WebWorld;
let ann: Somebody;

async function open(door: Partial<Door> = {}): Promise<void> {
  await it?.close();
  it = await openWebWorld({ door: { publicOrigin: null, hosts: [], trusts: () => false, ...door } });
  ann = await peopleOf(it).somebody('ann', ['admin'], { runsServer: true });
}
beforeEach(() => open());
afterEach(async () => {
  clockAhead.now = realNow;
  await it.close();
  it = undefined as unknown as WebWorld;
});

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: object;
  from?: string;
}

function ask(path: string, { method = 'GET', headers = {}, body, from }: Ask = {}): Promise<Reply> {
  const all = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers };
  const address = from === undefined ? {} : { localAddress: from };
  const options = { port: it.port, path: `/api/v1/${path}`, method, headers: all, ...address };
  return send(options, body === undefined ? '' : JSON.stringify(body));
}
const codeOf = ({ body }: Reply): unknown => (body === '' ? null : (JSON.parse(body) as { code?: unknown }).code);

describe('a page of another site, in the browser of somebody who is signed in', () => {
  test('changes nothing, whatever it says of itself', async () => {
    const host = `127.0.0.1:${it.port}`;
    const nameNow = async (): Promise<unknown> =>
      ((await ann.ask('GET', 'organizations')).body as { organizations: { name: string }[] }).organizations[0]?.name;
    const before = await nameNow();
    const rename = { method: 'PUT', body: { name: 'theirs' } };
    const cookie = ann.cookie ?? '';
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: `https://${host}.evil.example` },
      { origin: `http://127.0.0.1:${it.port + 1}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: `http://${host}` },
    ]) {
      const reply = await ask('organizations/default', { ...rename, headers: { cookie, ...headers } });
      expect([headers, reply.status, codeOf(reply)]).toEqual([headers, 403, 'foreign-origin']);
    }
    for (const [method, path] of [
      ['DELETE', 'session'],
      ['POST', 'session/link'],
      ['POST', 'tokens'],
    ] as const)
      expect(
        (
          await ask(path, {
            method,
            ...(method === 'POST' ? { body: {} } : {}),
            headers: { cookie, origin: 'http://evil.example' },
          })
        ).status,
      ).toBe(403);
    // A form, which needs no leave of this server to be sent: it would say where it is from.
    const form = await send(
      { port: it.port, path: '/api/v1/tokens', method: 'POST', headers: { cookie, 'content-type': 'text/plain' } },
      '{"name":"theirs"}',
    );
    expect(form.status).toBe(400);
    expect(await nameNow()).toBe(before);
    expect((await ann.ask('GET', 'tokens')).body).toEqual({ tokens: [] });
    const own = await ask('organizations/default', {
      ...rename,
      headers: { cookie, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
    });
    expect(own.status).toBe(200);
    expect(await nameNow()).toBe('theirs');
  });
});

describe('a name that a stranger lets lead here', () => {
  test('reaches nothing that a cookie or nobody may reach', async () => {
    const cookie = ann.cookie ?? '';
    for (const host of [
      'evil.example',
      `evil.example:${it.port}`,
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '127.0.0.1@evil.example',
      'evil.example:80:80',
    ])
      for (const [method, path] of [
        ['GET', 'session'],
        ['GET', 'rollouts'],
        ['POST', 'session'],
        ['POST', 'session/link'],
      ] as const) {
        const headers = { host, cookie, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
        const reply = await ask(path, {
          method,
          headers,
          ...(method === 'POST' ? { body: { login: 'ann', password: 'x', link: 'x' } } : {}),
        });
        expect([host, path, reply.status]).toEqual([host, path, 421]);
        expect(codeOf(reply)).toBe('host-unknown');
      }
  });

  test('nor with what only looks as if it proved somebody', async () => {
    for (const authorization of ['Basic YW5uOng=', 'Bearer', 'x']) {
      const headers = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' };
      const body = { login: 'ann', password: 'x' };
      const reply = await ask('session', { method: 'POST', headers: { ...headers, authorization }, body });
      expect([authorization, reply.status]).toEqual([authorization, 421]);
    }
  });

  test('is no matter to programs with a token, to addresses, and to those who look after machines', async () => {
    const { body } = await ann.ask('POST', 'tokens', { name: 'ci' });
    const authorization = `Bearer ${(body as { text: string }).text}`;
    expect((await ask('rollouts', { headers: { host: 'ops.example', authorization } })).status).toBe(200);
    for (const host of [
      '127.0.0.1',
      `127.0.0.1:${it.port}`,
      `[::1]:${it.port}`,
      'localhost:1',
      'LOCALHOST',
      'a.localhost',
      '192.0.2.7',
    ])
      expect([host, (await ask('rollouts', { headers: { host, cookie: ann.cookie ?? '' } })).status]).toEqual([
        host,
        200,
      ]);
    for (const path of ['/livez', '/readyz', '/openapi.json'])
      expect((await send({ port: it.port, path, headers: { host: 'ops.example' } })).status).toBe(200);
  });

  test('is this server where its operator says so, also when a proxy asks by another one', async () => {
    await open({ publicOrigin: 'https://ops.example', hosts: ['ops.example'] });
    const cookie = ann.cookie ?? '';
    for (const host of ['ops.example', 'OPS.example:443', 'ops.example.'])
      expect([host, (await ask('rollouts', { headers: { host, cookie } })).status]).toEqual([host, 200]);
    expect((await ask('rollouts', { headers: { host: 'evil.example', cookie } })).status).toBe(421);
    const renamed = await ask('organizations/default', {
      method: 'PUT',
      body: { name: 'ours' },
      headers: { host: '127.0.0.1:7070', cookie, origin: 'https://ops.example', 'sec-fetch-site': 'same-origin' },
    });
    expect(renamed.status).toBe(200);
  });
});

test('the names and proxies of a server are those of its file, and the machine’s name', () => {
  const said = { ...NOWHERE, publicUrl: 'https://ops.example:8443', trustedProxies: ['10.0.0.0/8'] };
  const { log } = it.deps.engine.deps;
  const { door, secure } = signInElsewhere(said, {
    access: it.deps.access,
    log,
    sealedWith: { file: '', keyFile: '' },
  });
  expect(door).toMatchObject({
    publicOrigin: 'https://ops.example:8443',
    hosts: [hostname().toLowerCase(), 'ops.example'],
  });
  expect([door.trusts('10.1.2.3'), door.trusts('203.0.113.9'), secure]).toEqual([true, false, true]);
});

describe('where somebody is from', () => {
  const sources = async (): Promise<unknown[]> =>
    ((await ann.ask('GET', 'audit?operation=signIn')).body as { acts: { source: string }[] }).acts.map(
      ({ source }) => source,
    );
  const guess = (login: string, { from, forwarded }: { from?: string; forwarded?: string } = {}): Promise<Reply> =>
    ask('session', {
      method: 'POST',
      body: { login, password: 'guessed' },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      ...(from === undefined ? {} : { from }),
    });

  test('is the peer, whatever it says, unless it is a proxy that is trusted', async () => {
    await guess('ann', { forwarded: '203.0.113.9' });
    expect(await sources()).toEqual(['127.0.0.1']);
    await open({ trusts: addressList(['127.0.0.2', '10.0.0.0/8']) });
    await guess('ann', { forwarded: '203.0.113.9' });
    await guess('ann', { from: '127.0.0.2', forwarded: '203.0.113.9' });
    // What the client wrote itself stands on the left; what stands to the right of it was added by those in between.
    await guess('ann', { from: '127.0.0.2', forwarded: '198.51.100.1, 203.0.113.9, 10.1.2.3' });
    await guess('ann', { from: '127.0.0.2', forwarded: 'unknown' });
    expect((await sources()).toReversed()).toEqual(['127.0.0.1', '203.0.113.9', '203.0.113.9', '127.0.0.2']);
  });

  test('is what sessions and limits know', async () => {
    stopClock();
    await open({ trusts: addressList(['127.0.0.2']) });
    const reply = await ask('session/link', {
      method: 'POST',
      body: { link: await it.link('ann') },
      headers: { 'x-forwarded-for': '203.0.113.9' },
      from: '127.0.0.2',
    });
    expect(reply.status).toBe(200);
    const { sessions } = (await ann.ask('GET', 'sessions')).body as { sessions: { address: string }[] };
    expect(sessions.map(({ address }) => address)).toContain('203.0.113.9');
    const tries = Array.from({ length: 33 }, (_, index) => index);
    for (const index of tries) await guess(`name-${index}`, { from: '127.0.0.2', forwarded: '203.0.113.66' });
    const limited = await guess('one-more', { from: '127.0.0.2', forwarded: '203.0.113.66' });
    expect([limited.status, codeOf(limited)]).toEqual([429, 'sign-in-limited']);
    expect(limited.body).toContain(`Try again in ${limited.headers['retry-after']} second`);
    // Others behind the same proxy are others.
    expect((await guess('one-more', { from: '127.0.0.2', forwarded: '203.0.113.67' })).status).toBe(401);
  });
});

describe('guessing', () => {
  beforeEach(stopClock);

  const guess = async (login: string, from: string): Promise<string> => {
    const reply = await ask('session', { method: 'POST', body: { login, password: 'guessed' }, from });
    return String(codeOf(reply));
  };

  test('one name from many addresses is as slow as from one', async () => {
    await ann.ask('PUT', 'session/password', { password: PASSWORD });
    const said: string[] = [];
    for (let n = 0; n < 20; n++) said.push(await guess('ann', `127.0.0.${10 + n}`));
    expect(said.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'sign-in-refused'));
    expect(said.slice(6)).toEqual(Array.from({ length: 14 }, () => 'sign-in-limited'));
    // However the name is written.
    expect(await guess('  ANN ', '127.0.0.99')).toBe('sign-in-limited');
    // Whoever knows the password waits a minute at most, and sessions that are open stay open.
    expect((await ann.ask('GET', 'session')).body['state']).toBe('signed-in');
    now += 61_000;
    const reply = await ask('session', {
      method: 'POST',
      body: { login: 'ann', password: PASSWORD },
      from: '127.0.0.100',
    });
    expect(reply.status).toBe(200);
  });

  test('many names from one address is limited there, and nowhere else', async () => {
    const said: string[] = [];
    for (let n = 0; n < 40; n++) said.push(await guess(`somebody-${n}`, '127.0.0.7'));
    expect(said.filter((code) => code === 'sign-in-refused').length).toBeLessThanOrEqual(31);
    expect(said.at(-1)).toBe('sign-in-limited');
    expect(await guess('somebody-1', '127.0.0.8')).toBe('sign-in-refused');
  });

  test('links and tokens is answered alike, and fills no log', async () => {
    for (const text of ['x', 'x'.repeat(1_000), '__proto__', 'ey.ey.ey', 'ek_'.repeat(20)]) {
      const link = await ask('session/link', { method: 'POST', body: { link: text } });
      expect([text.slice(0, 9), codeOf(link)]).toEqual([text.slice(0, 9), 'sign-in-refused']);
      const token = await ask('rollouts', { headers: { authorization: `Bearer ${text}` } });
      expect([text.slice(0, 9), token.status]).toEqual([text.slice(0, 9), 401]);
    }
  });
});
