import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { raw } from '../support/edge-client.ts';
import { send } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { basic, from, guarded, pageFile, policy, quickHash } from '../support/edge-policy.ts';

const statuses = (replies: { status: number }[]): number[] => replies.map(({ status }) => status);

describe('addresses', () => {
  test('are let in or not by who asks, as trusted proxies say, and count for no release', async () => {
    const { edge, api, ask, port } = await guarded([
      { policy: policy({ allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.66'] }) },
    ]);
    const reply = async (address: string) => (await ask('/', from(address))).status;
    expect(await reply('192.0.2.1')).toBe(200);
    expect(await reply('::ffff:192.0.2.1')).toBe(200);
    expect(await reply('2001:db8::5')).toBe(200);
    expect(await reply('192.0.2.66')).toBe(403);
    expect(await reply('198.51.100.1')).toBe(403);
    // What a client invents stands to the left of what the proxy saw.
    expect(await reply('192.0.2.1, 198.51.100.1')).toBe(403);
    expect(await reply('garbage')).toBe(403);
    expect((await send({ port, headers: { host: 'x' } })).status).toBe(403);
    expect(api.requests).toHaveLength(3);
    expect(api.requests[0]?.headers['x-forwarded-for']).toBe('192.0.2.1, 127.0.0.1');
    expect(await edge.release('api@1')).toMatchObject({ requests: 3, bad: 0, clientAborts: 0 });
    // evenkeel's own questions are about what is behind the door.
    const probe = { 'evenkeel-probe': edge.probeToken };
    expect(await ask('/', { ...from('198.51.100.1'), ...probe })).toMatchObject({ status: 200 });
  });

  test('a rule for a path is not to be passed by spelling it differently', async () => {
    const { ask, port } = await guarded([{}, { path: '/admin', policy: policy({ allow: ['192.0.2.1'] }) }]);
    expect(statuses([await ask('/'), await ask('/files/a%20b'), await ask('/admins')])).toEqual([200, 200, 200]);
    expect(statuses([await ask('/admin'), await ask('/admin/x')])).toEqual([403, 403]);
    expect((await ask('/admin/x', from('192.0.2.1'))).status).toBe(200);
    for (const path of ['/%61dmin', '//admin', '/x/../admin', '/ADMIN', '/admin;x', '/%2561dmin', '/x\\..\\admin'])
      expect([
        path,
        (await raw(port, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)).slice(9, 12),
      ]).toEqual([path, '400']);
    // Nor is the rule lost the other way round.
    expect((await ask('/admin/../public', from('192.0.2.1'))).status).toBe(400);
  });
});

describe('passwords', () => {
  test('are asked for, checked, remembered, and kept from the service', async () => {
    const hash = await quickHash('s3cret:ä');
    const users = [
      { name: 'anna', hash },
      { name: 'none', hash: null },
    ];
    const basicAuth = { realm: 'Back office', users, passOn: false };
    const { edge, api, ask, made } = await guarded([{ policy: policy({ basicAuth }) }]);
    const asked = await ask();
    expect([asked.status, asked.headers['www-authenticate']]).toEqual([
      401,
      'Basic realm="Back office", charset="UTF-8"',
    ]);
    const tries = [
      basic('anna', 'wrong'),
      basic('nobody', 's3cret:ä'),
      basic('none', ''),
      { authorization: 'Basic x' },
    ];
    for (const each of tries) expect((await ask('/', each)).status).toBe(401);
    expect((await ask('/', { authorization: `Bearer ${'a'.repeat(2000)}` })).status).toBe(401);
    expect(api.requests).toHaveLength(0);
    const many = await Promise.all(Array.from({ length: 40 }, () => ask('/', basic('anna', 's3cret:ä'))));
    expect(new Set(statuses(many))).toEqual(new Set([200]));
    expect(api.requests[0]?.headers.authorization).toBe(undefined);
    expect(await edge.release('api@1')).toMatchObject({ requests: 40, bad: 0 });
    // One that was changed no longer opens, however well it is remembered.
    const changed = [{ name: 'anna', hash: await quickHash('other') }];
    await edge.set(2, made([{ policy: policy({ basicAuth: { realm: 'x', users: changed, passOn: true } }) }]));
    expect((await ask('/', basic('anna', 's3cret:ä'))).status).toBe(401);
    expect((await ask('/', basic('anna', 'other'))).status).toBe(200);
    expect(api.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
  });

  test('cannot be guessed at will, and who knows one gets in meanwhile', async () => {
    const users = [{ name: 'anna', hash: await quickHash('right') }];
    const { ask } = await guarded([{ policy: policy({ basicAuth: { realm: 'x', users, passOn: false } }) }]);
    expect((await ask('/', { ...from('192.0.2.1'), ...basic('anna', 'right') })).status).toBe(200);
    const guesses = await Promise.all(
      Array.from({ length: 60 }, (_, i) => ask('/', { ...from('198.51.100.9'), ...basic('anna', `guess ${i}`) })),
    );
    const throttled = guesses.filter(({ status }) => status === 429);
    expect(throttled.length).toBeGreaterThan(20);
    expect(Number(throttled[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('/', { ...from('198.51.100.9'), ...basic('anna', 'right') })).status).toBe(200);
    expect((await ask('/', { ...from('192.0.2.1'), ...basic('anna', 'right') })).status).toBe(200);
  });
});

describe('limits', () => {
  test('of requests: each client has its own, a /64 is one client, and 429 says when to come back', async () => {
    const rate = { requests: 1, perMs: 600_000, burst: 2, by: 'client' as const };
    const { edge, api, ask, made } = await guarded([{ policy: policy({ rate }) }]);
    const asks = async (...addresses: string[]) => {
      const replies = [];
      for (const address of addresses) replies.push(await ask('/', from(address)));
      return replies;
    };
    const all = await asks(
      '192.0.2.1',
      '192.0.2.1',
      '192.0.2.1',
      '192.0.2.2',
      '2001:db8::1',
      '2001:db8::2',
      '2001:db8::3',
    );
    expect(statuses(all)).toEqual([200, 200, 429, 200, 200, 200, 429]);
    const wait = Number(all[2]?.headers['retry-after']);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(600);
    expect(await edge.release('api@1')).toMatchObject({ requests: 5, bad: 0 });
    // Another command does not give everybody new tokens; another limit does.
    await edge.set(2, made([{ policy: policy({ rate, deny: ['10.0.0.0/8'] }) }]));
    expect(statuses(await asks('192.0.2.1'))).toEqual([429]);
    await edge.set(3, made([{ policy: policy({ rate: { ...rate, burst: 1, by: 'all' } }) }]));
    expect(statuses(await asks('192.0.2.1', '192.0.2.9'))).toEqual([200, 429]);
    expect(api.requests).toHaveLength(6);
  });

  test('of bodies: refused by their length at once, and in the middle when that was not told', async () => {
    const { edge, api, ask, port } = await guarded([{ maxBody: 1000 }], {}, (req, res) => {
      req.resume();
      req.on('end', () => res.end('all'));
    });
    expect((await ask('/', {}, 'POST', 'x'.repeat(1000))).body).toBe('all');
    const tooLong = await ask('/', { expect: '100-continue', 'content-length': '1001' }, 'POST');
    expect([tooLong.status, tooLong.headers.connection]).toEqual([413, 'close']);
    expect(api.requests).toHaveLength(1);

    const chunked = { host: 'x', 'transfer-encoding': 'chunked' };
    expect((await send({ port, method: 'POST', headers: chunked }, 'x'.repeat(1000))).body).toBe('all');
    const streaming = request({ host: '127.0.0.1', port, method: 'POST', headers: { host: 'x' }, agent: false });
    const answered = once(streaming, 'response');
    // Whoever is busy sending hears of it all the same.
    for (let i = 0; i < 100; i++) {
      streaming.write('x'.repeat(100));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [response] = (await answered) as [{ statusCode: number; destroy(): void }];
    expect(response.statusCode).toBe(413);
    response.destroy();
    streaming.destroy();
    expect(await edge.release('api@1')).toMatchObject({ bad: 0, classes: [0, 2, 0, 0, 0] });
  });
});

describe('somebody else is asked', () => {
  const letIn = (url: string, changes = {}) =>
    policy({ forwardAuth: { url, timeoutMs: 2_000, headers: ['remote-user'], ...changes } });

  test('about the request as it came; what it names is passed on, and nothing that clients invent', async () => {
    const judge = await upstream('judge', (_req, res) => res.writeHead(204, { 'Remote-User': 'anna' }).end());
    const { api, ask, port } = await guarded(
      [{ policy: letIn(`http://127.0.0.1:${judge.port}/verify?a=1`) }],
      {},
      (req, res) => void req.pipe(res),
    );
    const headers = {
      ...from('192.0.2.1'),
      'remote-user': 'root',
      remote_user: 'root',
      cookie: 'sid=1',
      'x-forwarded-uri': '/x',
    };
    expect((await ask('/orders?page=2', headers, 'POST', 'the body')).body).toBe('the body');
    expect(judge.requests[0]).toMatchObject({ method: 'GET', url: '/verify?a=1' });
    expect(judge.requests[0]?.headers).toMatchObject({
      host: `127.0.0.1:${judge.port}`,
      cookie: 'sid=1',
      'x-forwarded-method': 'POST',
      'x-forwarded-uri': '/orders?page=2',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '192.0.2.1, 127.0.0.1',
    });
    expect(judge.requests[0]?.headers['content-length']).toBe(undefined);
    expect(api.requests[0]?.headers['remote-user']).toBe('anna');
    expect(api.requests[0]?.headers['remote_user']).toBe(undefined);
    expect(port).toBeGreaterThan(0);
  });

  test('and its refusal is what the client gets; without an answer nobody gets in', async () => {
    let answer: Parameters<typeof upstream>[1] = (_req, res) =>
      void res.writeHead(302, { Location: '/login', 'Set-Cookie': 'a=1' }).end('go');
    const judge = await upstream('judge', (req, res) => answer?.(req, res));
    const { edge, api, ask, made } = await guarded([{ policy: letIn(`http://127.0.0.1:${judge.port}/`) }]);
    const refused = await ask('/', {}, 'POST', 'never sent on');
    expect([refused.status, refused.body, refused.headers.location]).toEqual([302, 'go', '/login']);
    expect(refused.headers['set-cookie']).toEqual(['a=1']);
    answer = (_req, res) => void res.writeHead(500).end('broken');
    expect((await ask()).status).toBe(500);
    answer = () => undefined;
    await edge.set(2, made([{ policy: letIn(`http://127.0.0.1:${judge.port}/`, { timeoutMs: 100 }) }]));
    const silent = await ask();
    expect([silent.status, silent.headers['retry-after']]).toEqual([503, '2']);
    await judge.die();
    expect((await ask()).status).toBe(503);
    await edge.set(3, made([{ policy: policy({ forwardAuth: { url: null, timeoutMs: 100, headers: [] } }) }]));
    expect((await ask()).status).toBe(503);
    expect(api.requests).toHaveLength(0);
    expect(await edge.stats()).toMatchObject({ releases: [{ requests: 0, bad: 0 }] });
  });

  test('after a password, which it is not shown', async () => {
    const judge = await upstream('judge', (_req, res) => void res.writeHead(200).end());
    const users = [{ name: 'anna', hash: await quickHash('right') }];
    const both = { ...letIn(`http://127.0.0.1:${judge.port}/`), basicAuth: { realm: 'x', users, passOn: false } };
    const { ask } = await guarded([{ policy: both }]);
    expect((await ask('/', basic('anna', 'wrong'))).status).toBe(401);
    expect(judge.requests).toHaveLength(0);
    expect((await ask('/', basic('anna', 'right'))).status).toBe(200);
    expect(judge.requests[0]?.headers.authorization).toBe(undefined);
  });

  test('before a WebSocket is opened, too', async () => {
    const judge = await upstream('judge', (req, res) => res.writeHead(req.headers.cookie === 'in=1' ? 200 : 401).end());
    const { api, port } = await guarded([{ policy: letIn(`http://127.0.0.1:${judge.port}/`) }]);
    api.server.on('upgrade', (_req, socket) =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
    );
    const hello = (cookie: string) =>
      raw(port, `GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\ncookie: ${cookie}\r\n\r\n`);
    expect(await hello('in=0')).toMatch(/^HTTP\/1.1 401/);
    expect(await hello('in=1')).toMatch(/^HTTP\/1.1 101/);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await expect(once(socket, 'open')).rejects.toThrow('401');
  });
});

describe('pages', () => {
  test('of maintenance, of errors and of what is not there, for whoever reads HTML', async () => {
    const { edge, api, ask, made } = await guarded([{ path: '/shop' }]);
    const html = { accept: 'text/html' };
    const pages = {
      '404': pageFile(edge, '404.html', '<h1>lost</h1>'),
      '503': pageFile(edge, '503.html', '<h1>down</h1>'),
      '502': pageFile(edge, 'large.html', 'x'.repeat(300 * 1024)),
      '504': '/does/not/exist',
    };
    await edge.set(2, made([{ path: '/shop' }], { pages, whenEmpty: 'refuse' }));
    expect(await ask('/elsewhere', html)).toMatchObject({ status: 404, body: '<h1>lost</h1>' });
    expect((await ask('/elsewhere')).body).toBe('404 There is nothing here.\n');
    expect(JSON.parse((await ask('/elsewhere', { accept: 'application/json' })).body)).toMatchObject({ status: 404 });

    const maintenance = { page: pageFile(edge, 'm.html', '<h1>soon</h1>'), retryAfterS: 600, allow: ['192.0.2.1'] };
    await edge.set(3, made([{ path: '/shop' }], { pages, maintenance }));
    const closed = await ask('/shop', html);
    expect([closed.status, closed.body, closed.headers['retry-after']]).toEqual([503, '<h1>soon</h1>', '600']);
    expect((await ask('/shop')).body).toContain('being worked on');
    expect((await ask('/shop', from('192.0.2.1'))).body).toBe('api');
    expect(await edge.release('api@1')).toMatchObject({ requests: 1, bad: 0 });

    await edge.set(4, made([{ path: '/shop' }], { pages, whenEmpty: 'refuse' }));
    await api.die();
    // The instance is gone: a bad gateway at first, whose page was too large, and nothing to ask then.
    const gone = await ask('/shop', html);
    expect([502, 503]).toContain(gone.status);
    expect(gone.body).not.toContain('xxx');
    await expect.poll(async () => (await ask('/shop', html)).body).toBe('<h1>down</h1>');
  });
});
