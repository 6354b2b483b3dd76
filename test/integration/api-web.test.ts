import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWebDoor } from '../../src/app/web-door.ts';
import { bindPort, isFailure } from '../../src/platform/listen-handle.ts';
import { type ApiWorld, openApiWorld, TOKEN } from '../support/api-world.ts';
import { type Reply, send } from '../support/edge-harness.ts';

let it: ApiWorld;
let door: Server;
let port: number;

beforeEach(async () => {
  it = await openApiWorld();
  const handle = bindPort({ port: 0, bind: '127.0.0.1' });
  if (isFailure(handle)) throw new Error(handle.code);
  door = openWebDoor(it.api, handle, (error) => expect.unreachable(error.message));
  await once(door, 'listening');
  port = (door.address() as AddressInfo).port;
});
afterEach(async () => {
  door.close();
  door.closeAllConnections();
  await it.close();
});

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> =>
  send({ port, path, method, headers });
const codeOf = ({ body }: Reply): unknown => (JSON.parse(body) as { code: unknown }).code;

test('nobody is let in by the token of the folder, whatever is asked, and be it nothing that there is', async () => {
  for (const path of ['/api/v1/status', '/api/v1/rollouts', '/metrics', '/nothing', '/api/v1/nothing'])
    for (const headers of [{}, { authorization: `Bearer ${TOKEN}` }, { authorization: 'Bearer guessed' }]) {
      const reply = await ask(path, headers);
      expect([path, reply.status, codeOf(reply)]).toEqual([path, 401, 'unauthorized']);
    }
  expect(await it.client.json({ path: '/api/v1/rollouts' })).toEqual({ rollouts: [], next: null });
});

test('whoever asks is told whether it lives and is ready, and what it can be asked', async () => {
  expect(await ask('/livez')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(JSON.parse((await ask('/openapi.json')).body)).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
});

test('replies are nothing that a browser would run, keep or show in a frame', async () => {
  const { headers } = await ask('/api/v1/status');
  expect(headers).toMatchObject({
    'content-type': expect.stringContaining('application/problem+json'),
    'content-security-policy': expect.stringContaining("default-src 'none'; frame-ancestors 'none'"),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test('pages of other sites change nothing here', async () => {
  const host = `127.0.0.1:${port}`;
  const change = (headers: Record<string, string>): Promise<Reply> =>
    ask('/api/v1/server/restart-edge', { host, ...headers }, 'POST');
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `http://${host}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: `http://${host}` },
  ])
    expect([headers, codeOf(await change(headers))]).toEqual([headers, 'foreign-origin']);
  for (const headers of [{ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, {}])
    expect([headers, codeOf(await change(headers))]).toEqual([headers, 'unauthorized']);
});

test('who asks without end is asked to wait, and others are not', async () => {
  let late: Reply | undefined;
  for (let asked = 0; asked < 5_000 && late === undefined; asked += 200) {
    const replies = await Promise.all(Array.from({ length: 200 }, () => ask('/livez')));
    late = replies.find(({ status }) => status === 429);
  }
  expect([late && codeOf(late), Number(late?.headers['retry-after']) >= 1]).toEqual(['too-many-requests', true]);
  expect((await send({ port, path: '/livez', localAddress: '127.0.0.2' })).status).toBe(200);
});

test('a port that another server got at the same moment costs the dashboard, and nothing else', async () => {
  // Both are bound before either listens, which the system allows.
  const bound = bindPort({ port: 0, bind: '127.0.0.1' });
  if (isFailure(bound)) throw new Error(bound.code);
  const out = { port: 0 };
  (bound as unknown as { getsockname(out: object): number }).getsockname(out);
  const late = bindPort({ port: out.port, bind: '127.0.0.1' });
  if (isFailure(late)) throw new Error(late.code);
  const first = openWebDoor(it.api, bound, (error) => expect.unreachable(error.message));
  await once(first, 'listening');
  const failed = Promise.withResolvers<Error>();
  openWebDoor(it.api, late, failed.resolve);
  expect(await failed.promise).toMatchObject({ code: 'EADDRINUSE' });
  late.close();
  first.close();
  expect(await it.client.json({ path: '/api/v1/rollouts' })).toEqual({ rollouts: [], next: null });
});

test('numbers about the controller are counted by operation, never by what somebody made up', async () => {
  await it.client.json({ path: '/api/v1/rollouts' });
  await it.client.reply({ path: '/api/v1/made-up-1' });
  const text = String(await it.client.json({ path: '/metrics' }));
  expect(text).toContain('evenkeel_api_requests_total{operation="listRollouts",status="200"} 1');
  expect(text).toContain('evenkeel_api_requests_total{operation="other",status="404"} 1');
  expect(text).not.toContain('made-up');
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+-]+)$/);
});
