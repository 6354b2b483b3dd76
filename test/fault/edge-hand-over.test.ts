import { Agent } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import type { TestEdge } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

/** Clients that never retry; every request that was not answered 200 is remembered. */
class Load {
  sent = 0;
  readonly failures: string[] = [];
  #running = true;
  readonly #clients: Promise<void>[] = [];
  readonly #agents: Agent[] = [];

  constructor(port: number) {
    const client = async (
      request: (agent: Agent | false) => ReturnType<typeof send>,
      keepAlive: boolean,
      pause: number,
    ) => {
      const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
      if (agent !== false) this.#agents.push(agent);
      while (this.#running) {
        this.sent++;
        await request(agent).then(
          ({ status }) => status !== 200 && this.failures.push(String(status)),
          (error: NodeJS.ErrnoException) => this.failures.push(`${keepAlive} ${pause} ${error.code} ${error.message}`),
        );
        await sleep(pause);
      }
    };
    const upload = Buffer.alloc(1_000_000, 'u');
    for (let i = 0; i < 6; i++) {
      this.#clients.push(client((agent) => send({ port, path: '/get', agent }), true, i));
      this.#clients.push(client((agent) => send({ port, path: '/fresh', agent }), false, 3));
      this.#clients.push(
        client((agent) => send({ port, path: '/post', method: 'POST', agent }, 'body'), true, 150 * i),
      );
    }
    this.#clients.push(client((agent) => send({ port, path: '/upload', method: 'POST', agent }, upload), true, 20));
    this.#clients.push(client((agent) => send({ port, path: '/slow', agent }), true, 10));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
    for (const agent of this.#agents) agent.destroy();
  }
}

describe('an edge that was replaced', () => {
  test('does not send who is still connected to what its successor took away', async () => {
    const edge = new EdgeHarness();
    const former = await edge.start();
    const [one, two] = [await upstream('one'), await upstream('two')];
    const port = await freePort();
    await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [one.port] }]));
    await edge.healthy(`api@1-${one.port}`);
    const clients = Array.from({ length: 60 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    onTestFinished(() => clients.forEach((agent) => agent.destroy()));
    for (const agent of clients) expect((await send({ port, agent })).body).toBe('one');
    const comeBack = async () => {
      const agent = clients.pop();
      if (agent === undefined) throw new Error('nobody is connected to the former edge any more');
      return await send({ port, agent }).finally(() => agent.destroy());
    };

    await edge.handOver(former);
    await edge.set(2, service('api', port, [{ release: 'api@2', weight: 100, ports: [two.port] }]));
    // At once: what a command took away may be gone when it is answered.
    expect((await comeBack()).body).toBe('two');
    await one.die();
    const reply = await comeBack();
    // Told that this edge leaves, the client goes on elsewhere.
    expect([reply.status, reply.body, reply.headers.connection]).toEqual([200, 'two', 'close']);
  });
});

describe('a hand-over under load', () => {
  test('loses no request, and the counts of all processes sum to those of the clients', async () => {
    const edge = new EdgeHarness();
    let current: TestEdge = await edge.start();
    const api = await upstream('api', (req, res) => {
      req.resume();
      if (req.url === '/slow') setTimeout(() => res.end('slow'), 1_500);
      else req.on('end', () => res.end('ok'));
    });
    const port = await freePort();
    const config = service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]);
    await edge.set(1, config);
    await edge.healthy(`api@1-${api.port}`);
    const load = new Load(port);
    const leaving: Promise<unknown>[] = [];
    for (let swap = 0; swap < 3; swap++) {
      await sleep(700);
      const former = current;
      current = await edge.handOver(former);
      leaving.push(former.exited);
      // Commands reach the successor at once.
      expect((await edge.state()).pid).toBe(current.pid);
      await edge.set(2 + swap, config);
    }
    await sleep(700);
    await load.stop();
    await Promise.all(leaving);
    expect(load.failures).toEqual([]);
    expect(load.sent).toBeGreaterThan(300);
    expect(api.requests.length).toBe(load.sent);
    const counts = await edge.release('api@1');
    expect([counts.requests, counts.classes[1], counts.bad, counts.inFlight]).toEqual([load.sent, load.sent, 0, 0]);
  });

  test('WebSockets are told 1012 by the leaving process, and come back at first try', async () => {
    const edge = new EdgeHarness({ EVENKEEL_EDGE_DRAIN_MS: '3000' });
    const first = await edge.start();
    const ws = await upstream('ws');
    const sockets = new WebSocketServer({ server: ws.server });
    onTestFinished(() => sockets.close());
    const port = await freePort();
    await edge.set(1, service('ws', port, [{ release: 'ws@1', weight: 100, ports: [ws.port] }]));
    await edge.healthy(`ws@1-${ws.port}`);
    const clients = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = new WebSocket(`ws://127.0.0.1:${port}/`);
        await once(client, 'open');
        return client;
      }),
    );
    const closed = clients.map((client) => once(client, 'close'));
    await edge.handOver(first);
    for (const each of closed) expect((await each)[0]).toBe(1012);
    const again = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(again, 'open');
    again.close();
    await first.exited;
  });
});

describe('an edge that was killed', () => {
  test('comes back with its table, and no fresh connection is refused meanwhile', async () => {
    const edge = new EdgeHarness();
    let current = await edge.start();
    const api = await upstream('api');
    const port = await freePort();
    await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]));
    for (let round = 0; round < 2; round++) {
      await edge.kill(current);
      // The sockets are held by the keeper: the kernel lets clients in, and they wait.
      const waiting = Array.from({ length: 10 }, () => send({ port }));
      current = await edge.start();
      expect((await Promise.all(waiting)).map(({ body }) => body)).toEqual(Array(10).fill('api'));
      // What was reported once is never taken back, however the process ends.
      expect((await edge.release('api@1')).requests).toBe(10 * (round + 1));
    }
  });

  test('begins with the copy before when its table is torn, with none when both are, and says so', async () => {
    const edge = new EdgeHarness();
    const api = await upstream('api');
    const port = await freePort();
    const config = (release: string) => service('api', port, [{ release, weight: 100, ports: [api.port] }]);
    let current = await edge.start();
    await edge.set(1, config('api@1'));
    await edge.set(2, config('api@2'));
    await edge.kill(current);
    const { readFileSync, truncateSync, writeFileSync } = await import('node:fs');
    const file = `${edge.folder}/table`;
    truncateSync(file, readFileSync(file).length - 10);
    current = await edge.start();
    const [restored] = (await edge.state()).services;
    expect([restored?.fence, restored?.config.releases[0]?.release]).toEqual([1, 'api@1']);
    expect(edge.log).toContain('damaged');
    await edge.kill(current);
    writeFileSync(file, 'nonsense');
    writeFileSync(`${file}.former`, '');
    await edge.start();
    expect((await edge.state()).services).toEqual([]);
    await edge.set(3, config('api@3'));
    expect((await send({ port })).body).toBe('api');
    await waitFor(() => send({ port }).then(({ status }) => status === 200), { what: 'the edge to serve' });
  });
});

describe('a successor that does not come up', () => {
  test('leaves the edge before it serving and commanded', async () => {
    const edge = new EdgeHarness();
    const first = await edge.start();
    const api = await upstream('api');
    const port = await freePort();
    const config = service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]);
    await edge.set(1, config);
    // What a successor says before it takes over; this one is never heard of again.
    await send({ socketPath: edge.socket, method: 'POST', path: '/quiesce' });
    expect(await edge.apply(2, [config])).toMatchObject({ applied: false, refused: { reason: 'superseded' } });
    expect((await send({ port })).body).toBe('api');
    await waitFor(async () => (await edge.apply(2, [config])).applied, {
      what: 'commands to be taken again',
      timeout: 15_000,
    });
    expect((await edge.state()).pid).toBe(first.pid);
  });
});
