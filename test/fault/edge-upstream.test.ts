import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import type { Upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

async function oneService(apis: Upstream[], changes: Parameters<typeof service>[3] = {}, env = {}) {
  const edge = new EdgeHarness(env);
  await edge.start();
  const port = await freePort();
  const ports = apis.map((api) => api.port);
  await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports }], changes));
  await edge.healthy(...ports.map((each) => `api@1-${each}`));
  return { edge, port };
}

const counted = async (edge: EdgeHarness) => {
  const { requests, bad, clientAborts, retries } = await edge.release('api@1');
  return { requests, bad, clientAborts, retries };
};

describe('an instance that fails', () => {
  test('a refused connection is retried elsewhere, a POST too since nothing was sent, and counts as bad', async () => {
    const [good, dead] = [await upstream('good'), await upstream('dead')];
    const { edge, port } = await oneService([good, dead], {
      health: { path: '/health', graceMs: 0, intervalMs: 60_000, timeoutMs: 1_000 },
    });
    await dead.die();
    const replies = await Promise.all(Array.from({ length: 6 }, () => send({ port, method: 'POST' }, 'once')));
    expect(replies.map(({ status, body }) => [status, body])).toEqual(replies.map(() => [200, 'good']));
    expect(good.requests.length).toBe(6);
    const { bad, requests, retries } = await counted(edge);
    expect(requests).toBe(6);
    expect(bad).toBeGreaterThanOrEqual(1);
    expect(retries).toBe(bad);
    await waitFor(
      async () => (await edge.state()).services[0]?.instances.some(({ healthy, ejected }) => !healthy || ejected),
      { what: 'the dead instance to be out of turn' },
    );
  });

  test('a request that broke without a reply on a fresh connection is never sent again', async () => {
    const cut = await upstream('cut', (req) => req.socket.destroy());
    const { edge, port } = await oneService([cut]);
    expect((await send({ port, method: 'POST' }, 'once')).status).toBe(502);
    expect((await send({ port })).status).toBe(502);
    expect(cut.requests.length).toBe(2);
    expect(await counted(edge)).toEqual({ requests: 2, bad: 2, clientAborts: 0, retries: 0 });
  });

  test('a GET on a kept connection that closes under it is sent once more, a POST is not', async () => {
    let cuts = 0;
    const api = await upstream('api', (req, res) => {
      if (req.url === '/cut' && cuts-- > 0) req.socket.destroy();
      else res.end('api');
    });
    const { edge, port } = await oneService([api]);
    const cut = async (method: string, times: number) => {
      await send({ port }); // leaves a connection behind
      cuts = times;
      const before = api.requests.length;
      const { status } = await send({ port, path: '/cut', method });
      return [status, api.requests.length - before];
    };
    expect(await cut('GET', 1)).toEqual([200, 2]);
    expect(await counted(edge)).toEqual({ requests: 2, bad: 0, clientAborts: 0, retries: 1 });
    expect(await cut('GET', 9)).toEqual([502, 2]);
    expect(await cut('POST', 1)).toEqual([502, 1]);
    expect(await counted(edge)).toEqual({ requests: 6, bad: 2, clientAborts: 0, retries: 2 });
  });

  test('a GET that ends the process that reads it ends one, not all', async () => {
    const instances: Upstream[] = [];
    for (const name of ['a', 'b', 'c'])
      instances.push(
        await upstream(name, (req, res) => {
          const self = instances.find((each) => each.requests.includes(req));
          if (req.url === '/poison') void self?.die();
          else res.end(name);
        }),
      );
    const { edge, port } = await oneService(instances);
    // Connections are kept to all of them, so that the poison meets one that was used before.
    await Promise.all(Array.from({ length: 12 }, () => send({ port })));
    expect((await send({ port, path: '/poison' })).status).toBe(502);
    expect(instances.flatMap(({ requests }) => requests.filter(({ url }) => url === '/poison')).length).toBe(1);
    expect((await send({ port })).status).toBe(200);
    expect(await counted(edge)).toMatchObject({ requests: 14, bad: 1 });
  });

  test('a POST on a connection that the instance closes while idle arrives exactly once', async () => {
    const api = await upstream('api');
    api.server.keepAliveTimeout = 200;
    // Without the announced limit, the edge must know by itself.
    const { edge, port } = await oneService([api]);
    for (let i = 0; i < 12; i++) {
      expect((await send({ port, method: 'POST' }, 'x')).status).toBe(200);
      await sleep(150 + i * 10);
    }
    expect(api.requests.length).toBe(12);
    expect(await counted(edge)).toMatchObject({ requests: 12, bad: 0 });
  });

  test('a reply that breaks off is bad, and its client sees that it is not whole', async () => {
    const api = await upstream('api', (_req, res) => {
      res.writeHead(200, { 'content-length': '1000' });
      res.write('part');
      setTimeout(() => res.destroy(), 20);
    });
    const { edge, port } = await oneService([api]);
    await expect(send({ port })).rejects.toThrow(/aborted|hang up|reset/i);
    await waitFor(async () => (await counted(edge)).bad === 1, { what: 'the reply to count as bad' });
    expect(await counted(edge)).toEqual({ requests: 1, bad: 1, clientAborts: 0, retries: 0 });
  });

  test('a reply that does not come is a 504, and bad', async () => {
    const api = await upstream('api', () => undefined);
    const { edge, port } = await oneService([api], { timeoutMs: 300 });
    const reply = await send({ port, headers: { accept: 'application/json' } });
    expect([reply.status, JSON.parse(reply.body).status]).toEqual([504, 504]);
    expect(await counted(edge)).toMatchObject({ requests: 1, bad: 1, retries: 0 });
  });

  test('a client that leaves is not the fault of the release, and the instance is told', async () => {
    let gone = 0;
    const api = await upstream('api', (req, res) => {
      res.on('close', () => gone++);
      if (req.url === '/stream') res.write('begun');
    });
    const { edge, port } = await oneService([api]);
    for (const path of ['/never', '/stream']) {
      const req = request({ host: '127.0.0.1', port, path, agent: false });
      req.on('error', () => undefined);
      const response = path === '/stream' ? once(req, 'response') : null;
      req.end();
      await waitFor(() => api.requests.some(({ url }) => url === path), { what: 'the request to arrive' });
      await response;
      req.destroy();
    }
    await waitFor(() => gone === 2, { what: 'the instance to see both clients leave' });
    expect(await counted(edge)).toEqual({ requests: 2, bad: 0, clientAborts: 2, retries: 0 });
  });

  test('nonsense instead of HTTP is a 502', async () => {
    const { createServer } = await import('node:net');
    const nonsense = createServer((socket) => socket.on('data', () => socket.end('SSH-2.0-hello\r\n')));
    await new Promise<void>((resolve) => nonsense.listen(0, '127.0.0.1', resolve));
    const { port: nonsensePort } = nonsense.address() as { port: number };
    const { port } = await oneService([{ port: nonsensePort } as Upstream], {
      health: { path: null, graceMs: 1_000, intervalMs: 200, timeoutMs: 500 },
    });
    expect((await send({ port })).status).toBe(502);
    await new Promise((resolve) => nonsense.close(resolve));
  });
});

describe('with nobody there', () => {
  test('requests wait, their bodies unread, and are answered when an instance comes', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [port, later] = [await freePort(), await freePort()];
    await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [later] }]));
    const waiting = [send({ port }), send({ port, method: 'POST' }, 'body'), send({ port })];
    const leaver = connect({ port, host: '127.0.0.1' });
    leaver.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const held = async () => (await edge.state()).services[0]?.held;
    await waitFor(async () => (await held()) === 4, { what: 'four requests to be held' });
    leaver.destroy();
    await waitFor(async () => (await held()) === 3, { what: 'the one whose client left to be dropped' });
    const api = await upstream('api', (req, res) => req.resume().on('end', () => res.end('late')), later);
    expect((await Promise.all(waiting)).map(({ body }) => body)).toEqual(['late', 'late', 'late']);
    expect(api.requests.length).toBe(3);
    const { services } = await edge.stats();
    expect(services[0]).toMatchObject({ heldTotal: 4, held: 0, refused: 0 });
  });

  test('waiting ends with 503 and Retry-After, at once when the queue is full or the service refuses', async () => {
    const edge = new EdgeHarness({ EVENKEEL_EDGE_HOLD_MS: '600', EVENKEEL_EDGE_HOLD_REQUESTS: '2' });
    await edge.start();
    const [port, nobody] = [await freePort(), await freePort()];
    const config = (whenEmpty: 'hold' | 'refuse') =>
      service('api', port, [{ release: 'api@1', weight: 100, ports: [nobody] }], { whenEmpty });
    await edge.set(1, config('hold'));
    const order: string[] = [];
    const ask = (name: string) =>
      send({ port, headers: { accept: 'text/html' } }).then((reply) => (order.push(name), reply));
    const first = [ask('held'), ask('held')];
    await waitFor(async () => (await edge.state()).services[0]?.held === 2, { what: 'the queue to be full' });
    const replies = [await ask('overflow'), ...(await Promise.all(first))];
    expect(order[0]).toBe('overflow');
    for (const { status, headers, body } of replies) {
      expect([status, headers['retry-after']]).toEqual([503, '2']);
      expect(body).toContain('<!doctype html>');
    }
    await edge.set(2, config('refuse'));
    expect((await send({ port })).status).toBe(503);
    const { services, releases } = await edge.stats();
    expect(services[0]).toMatchObject({ refused: 4, heldTotal: 2 });
    expect(releases[0]).toMatchObject({ requests: 4, bad: 4 });
  });

  test('a canary without a healthy instance gives its share back at once, which is evidence against it', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [old, canary] = [await upstream('old'), await upstream('new')];
    const port = await freePort();
    await edge.set(
      1,
      service(
        'api',
        port,
        [
          { release: 'api@1', weight: 50, ports: [old.port] },
          { release: 'api@2', weight: 50, ports: [canary.port] },
        ],
        { split: { rollout: 'r/api', canary: 'api@2', baseline: 'api@1', slow: null } },
      ),
    );
    await edge.healthy(`api@1-${old.port}`, `api@2-${canary.port}`);
    await canary.die();
    const replies = await Promise.all(Array.from({ length: 40 }, () => send({ port })));
    expect(new Set(replies.map(({ body }) => body))).toEqual(new Set(['old']));
    await waitFor(
      async () =>
        (await edge.state()).services[0]?.effective?.find(({ release }) => release === 'api@1')?.weight === 100,
      {
        what: 'the share to be given back',
      },
    );
    const [report] = (await edge.stats()).evidence;
    const [at50] = report?.metrics.errors ?? [];
    expect(at50?.weight).toBe(50);
    expect(at50?.baseline).toBe(0);
    expect(at50?.canary).toBe(report?.arms.canary.requests);
    expect((report?.arms.canary.requests ?? 0) + (report?.arms.baseline.requests ?? 0)).toBe(40);
  });
});
