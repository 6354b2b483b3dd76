import { describe, expect, test } from 'vitest';
import { FORMER_RELEASES } from '../../src/domain/traffic/stats.ts';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { freePort } from '../support/free-port.ts';

const cookieOf = (headers: Record<string, unknown>): string => String(headers['set-cookie'] ?? '').split(';')[0] ?? '';

describe('routing and weights', () => {
  test('a request reaches the service of its route, and nothing else is known', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [api, web] = [await upstream('api'), await upstream('web')];
    const port = await freePort();
    await edge.set(
      1,
      service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }], {
        routes: [{ port, host: 'Chat.Example', path: '/api' }],
      }),
      service('web', port, [{ release: 'web@1', weight: 100, ports: [web.port] }], {
        routes: [{ port, host: 'chat.example', path: '/' }],
      }),
    );
    const get = (host: string, path: string) => send({ port, path, headers: { host } });
    expect((await get('CHAT.example:80', '/api/x?y=/')).body).toBe('api');
    expect((await get('chat.example', '/apix')).body).toBe('web');
    const unknown = await get('other.example', '/');
    expect(unknown.status).toBe(404);
    expect(unknown.body).not.toContain('chat');
    const stats = await edge.stats();
    expect(stats.unrouted).toBe(1);
    expect(stats.releases.map(({ release, requests }) => [release, requests])).toEqual([
      ['api@1', 1],
      ['web@1', 1],
    ]);
  });

  test('raising a weight moves exactly the difference, and a session stays where it is', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [old, canary] = [await upstream('old'), await upstream('new')];
    const port = await freePort();
    const at = (weight: number) =>
      service(
        'api',
        port,
        [
          { release: 'api@1', weight: 100 - weight, ports: [old.port] },
          { release: 'api@2', weight, ports: [canary.port] },
        ],
        { split: { rollout: 'r1', canary: 'api@2', baseline: 'api@1', slow: null } },
      );
    await edge.set(1, at(0));
    await edge.healthy(`api@1-${old.port}`, `api@2-${canary.port}`);
    expect((await send({ port })).headers['set-cookie']).toBeUndefined();

    await edge.set(1, at(20));
    const sessions = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const { headers, body } = await send({ port });
        return { cookie: cookieOf(headers), first: body };
      }),
    );
    const ask = (cookie: string) => send({ port, headers: { cookie } }).then(({ body }) => body);
    // The very first reply already came from where the cookie leads.
    const at20 = await Promise.all(sessions.map(({ cookie }) => ask(cookie)));
    expect(at20).toEqual(sessions.map(({ first }) => first));

    await edge.set(1, at(60));
    const at60 = await Promise.all(sessions.map(({ cookie }) => ask(cookie)));
    expect(at60.filter((body, index) => at20[index] === 'new' && body !== 'new')).toEqual([]);
    const share = (bodies: string[]) => bodies.filter((body) => body === 'new').length / bodies.length;
    expect(share(at20)).toBeGreaterThan(0.08);
    expect(share(at20)).toBeLessThan(0.35);
    expect(share(at60)).toBeGreaterThan(0.45);
    expect(share(at60)).toBeLessThan(0.75);

    await edge.set(1, at(20));
    expect(await Promise.all(sessions.map(({ cookie }) => ask(cookie)))).toEqual(at20);
    await edge.set(1, at(100));
    expect(new Set(await Promise.all(sessions.map(({ cookie }) => ask(cookie))))).toEqual(new Set(['new']));
  });

  test('whoever belongs to a release of the rollout is answered by its companion, and everybody else by weight', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [old, canary] = [await upstream('old'), await upstream('new')];
    const [port, internalPort, former, next, stranger] = await Promise.all([1, 2, 3, 4, 5].map(() => freePort()));
    const releases = [
      { release: 'api@1', weight: 50, ports: [old.port] },
      { release: 'api@2', weight: 50, ports: [canary.port] },
    ];
    const at = (instances: typeof releases) =>
      service('api', port!, instances, {
        internalPort: internalPort!,
        callers: [
          { port: former!, release: 'api@1' },
          { port: next!, release: 'api@2' },
          { port: stranger!, release: null },
        ],
        split: { rollout: 'r1', canary: 'api@2', baseline: 'api@1', slow: null },
      });
    await edge.set(1, at(releases));
    await edge.healthy(`api@1-${old.port}`, `api@2-${canary.port}`);
    const bodies = async (at_: number): Promise<string[]> => {
      const replies = await Promise.all(Array.from({ length: 30 }, () => send({ port: at_ })));
      return [...new Set(replies.map(({ body }) => body))].toSorted();
    };
    expect(await bodies(former!)).toEqual(['old']);
    expect(await bodies(next!)).toEqual(['new']);
    expect(await bodies(stranger!)).toEqual(['new', 'old']);
    expect((await send({ port: next! })).headers['set-cookie']).toBeUndefined();
    // It was not left to chance who answers: nothing of it may be compared.
    const { evidence } = await edge.stats();
    const seen = (rollout: string) => evidence.find((each) => each.rollout === rollout)?.arms;
    const compared = seen('r1');
    expect((compared?.canary.requests ?? 0) + (compared?.baseline.requests ?? 0)).toBe(30);
    expect(seen('r1/inner')).toMatchObject({ canary: { requests: 31 }, baseline: { requests: 30 } });

    // Rather the other release than none.
    await edge.set(1, at([releases[0]!, { ...releases[1]!, ports: [] }]));
    expect(await bodies(next!)).toEqual(['old']);
    const unknown = at(releases);
    unknown.callers = [{ port: next!, release: 'api@9' }];
    expect(await edge.apply(1, [unknown])).toMatchObject({ applied: false, refused: { reason: 'invalid' } });
  });

  test('an old fence is refused, an equal one is not, and a new process remembers it', async () => {
    const edge = new EdgeHarness();
    const first = await edge.start();
    const api = await upstream('api');
    const port = await freePort();
    const config = service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]);
    await edge.set(7, config);
    expect(await edge.apply(6, [config])).toMatchObject({ applied: false, refused: { reason: 'fence' } });
    expect(await edge.apply(7, [config])).toMatchObject({ applied: true });
    await edge.kill(first);
    await edge.start();
    expect(await edge.apply(6, [config])).toMatchObject({ applied: false, refused: { reason: 'fence' } });
    expect((await send({ port })).body).toBe('api');
    // A removed service leaves its fence behind.
    expect(await edge.apply(9, [], ['test/production/api'])).toMatchObject({ applied: true });
    expect(await edge.apply(8, [config])).toMatchObject({ applied: false, refused: { reason: 'fence' } });
  });

  test('a port that cannot be had, a taken route and contradictions are refused, and nothing changes', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const api = await upstream('api');
    const port = await freePort();
    await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]));
    const rival = service('rival', port, [{ release: 'rival@1', weight: 100, ports: [api.port] }]);
    expect(await edge.apply(1, [rival])).toMatchObject({ refused: { reason: 'conflict' } });
    const uneven = service('web', null, [{ release: 'web@1', weight: 50, ports: [api.port] }]);
    expect(await edge.apply(1, [uneven])).toMatchObject({ refused: { reason: 'invalid' } });
    const taken = service('web', api.port, [{ release: 'web@1', weight: 100, ports: [api.port] }]);
    const reply = await edge.apply(1, [taken]);
    expect(reply).toMatchObject({ applied: false, refused: { reason: 'port' } });
    expect(reply.refused?.detail).toContain('EADDRINUSE');
    expect((await send({ port })).body).toBe('api');
    expect((await edge.state()).services.map(({ key }) => key)).toEqual(['test/production/api']);
  });

  test('a probe is told who answered and is not counted; a stranger with the header is nobody special', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const api = await upstream('api');
    const [port, internalPort, preview] = [await freePort(), await freePort(), await freePort()];
    await edge.set(
      1,
      service(
        'api',
        port,
        [
          { release: 'api@1', weight: 100, ports: [api.port] },
          { release: 'api@2', weight: 0, ports: [(await upstream('next')).port] },
        ],
        { internalPort, preview: { port: preview, release: 'api@2' } },
      ),
    );
    const probe = { 'evenkeel-probe': edge.probeToken };
    const probed = await send({ port, headers: probe });
    expect(probed.headers['evenkeel-release']).toBe('api@1');
    expect(api.requests[0]?.headers['evenkeel-probe']).toBeUndefined();
    expect((await edge.release('api@1')).requests).toBe(0);
    const stranger = await send({ port: internalPort, headers: { 'evenkeel-probe': 'guess' } });
    expect(stranger.body).toBe('api');
    expect(stranger.headers['evenkeel-release']).toBeUndefined();
    expect(api.requests[1]?.headers['evenkeel-probe']).toBeUndefined();
    const previewed = await send({ port: preview, headers: probe });
    expect([previewed.body, previewed.headers['evenkeel-release']]).toEqual(['next', 'api@2']);
    expect((await edge.release('api@1')).requests).toBe(1);
    expect((await edge.release('api@2')).requests).toBe(0);
  });

  test('what listens at one address of a port is not reached through another', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [inner, outer] = [await upstream('inner'), await upstream('outer')];
    const port = await freePort();
    const at = (name: string, bind: string, host: string, to: number) =>
      service(name, null, [{ release: `${name}@1`, weight: 100, ports: [to] }], {
        routes: [{ port, bind, host, path: '/' }],
      });
    await edge.set(
      1,
      at('inner', '127.0.0.1', 'inner.example', inner.port),
      at('outer', '127.0.0.2', 'outer.example', outer.port),
    );
    await edge.healthy(`inner@1-${inner.port}`, `outer@1-${outer.port}`);
    const ask = (address: string, host: string) => send({ host: address, port, headers: { host } });
    expect((await ask('127.0.0.1', 'inner.example')).body).toBe('inner');
    expect((await ask('127.0.0.2', 'outer.example')).body).toBe('outer');
    expect((await ask('127.0.0.2', 'inner.example')).status).toBe(404);
    expect((await ask('127.0.0.1', 'outer.example')).status).toBe(404);
  });

  test('a service that moves to all addresses of its port is told who is in the way: itself', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const api = await upstream('api');
    const port = await freePort();
    const at = (bind: string) =>
      service('api', null, [{ release: 'api@1', weight: 100, ports: [api.port] }], {
        routes: [{ port, bind, host: null, path: '/' }],
      });
    await edge.set(1, at('127.0.0.1'));
    await edge.healthy(`api@1-${api.port}`);
    const { refused } = await edge.apply(2, [at('0.0.0.0')]);
    expect(refused?.reason).toBe('port');
    expect(refused?.detail).toContain(`while evenkeel serves the port at 127.0.0.1`);
    expect((await send({ port })).body).toBe('api');
  });

  test('the sum of what was counted is what was asked, over more releases and processes than have counts of their own', async () => {
    const edge = new EdgeHarness({ EVENKEEL_EDGE_IDLE_GRACE_MS: '0' });
    let process = await edge.start();
    const api = await upstream('api');
    const port = await freePort();
    let asked = 0;
    for (let number = 1; number <= 50; number++) {
      const releases = [number - 1, number].filter((each) => each > 0);
      const weigh = (each: number) => ({
        release: `api@${each}`,
        weight: each === number ? 100 : 0,
        ports: [api.port],
      });
      await edge.set(number, service('api', port, releases.map(weigh)));
      for (let i = 0; i < 3; i++, asked++) expect((await send({ port })).status).toBe(200);
      if (number % 20 === 0) {
        const former = process;
        process = await edge.handOver(former);
        await former.exited;
      }
    }
    const { releases } = await edge.stats();
    expect(releases.reduce((sum, { requests }) => sum + requests, 0)).toBe(asked);
    expect(releases.find(({ release }) => release === 'api@50')?.requests).toBe(3);
    expect(releases.some(({ release }) => release === FORMER_RELEASES)).toBe(true);
  });
});
