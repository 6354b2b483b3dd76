import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { from, guarded, policy } from '../support/edge-policy.ts';
import { upstream } from '../support/edge-upstream.ts';
import { at, callers } from '../support/edge-workers.ts';
import { freePort } from '../support/free-port.ts';
import { waitFor } from '../support/wait.ts';

const TWO = { EVENKEEL_EDGE_WORKERS: '2' };

/** An edge of several workers with two releases, of which the second is a canary at `weight`. */
async function crewed(env: Record<string, string>) {
  const edge = new EdgeHarness(env);
  const { pid } = await edge.start();
  const answer: Parameters<typeof upstream>[1] = (req, res) => {
    res.statusCode = req.url === '/bad' ? 500 : 200;
    res.end(String(req.socket.localPort));
  };
  const [old, next] = [await upstream('old', answer), await upstream('new', answer)];
  const port = await freePort();
  const weighing = (weight: number) =>
    service(
      'api',
      port,
      [
        { release: 'api@1', weight: 100 - weight, ports: [old.port] },
        { release: 'api@2', weight, ports: [next.port] },
      ],
      { split: { rollout: 'r1/api', canary: 'api@2', baseline: 'api@1', slow: null } },
    );
  await edge.set(1, weighing(0));
  await edge.healthy(`api@1-${old.port}`, `api@2-${next.port}`);
  return { edge, pid, port, old, next, weighing };
}

describe('several workers', () => {
  test('share what comes, and what they count together is what came', async () => {
    const { edge, pid, port } = await crewed({ EVENKEEL_EDGE_WORKERS: '3' });
    const { workers = [] } = await edge.state();
    expect(workers).toHaveLength(3);
    expect(workers[0]).toBe(pid);
    const clients = await callers(edge, port);
    for (let round = 0; round < 10; round++) await Promise.all(clients.map(({ ask }) => ask()));
    // Each of them asked once to be accepted.
    const sent = clients.length * 11;
    const counts = await edge.release('api@1');
    expect([counts.requests, counts.classes[1], counts.bad, counts.inFlight]).toEqual([sent, sent, 0, 0]);
    // And again: what was added once is not added twice.
    expect((await edge.release('api@1')).requests).toBe(sent);
  });

  test('have all switched before a command is answered', async () => {
    const { edge, port, old, next, weighing } = await crewed(TWO);
    const clients = await callers(edge, port, 3);
    for (let round = 0; round < 12; round++) {
      const [weight, serving] = round % 2 === 0 ? [100, next] : [0, old];
      await edge.set(2 + round, weighing(weight));
      const answers = await Promise.all(clients.map(({ ask }) => ask()));
      expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([String(serving.port)]));
    }
  });

  test('open and close ports together', async () => {
    const { edge, old } = await crewed(TWO);
    edge.letsGo = true;
    const port = await freePort();
    const elsewhere = (to: number) => service('api', to, [{ release: 'api@1', weight: 100, ports: [old.port] }]);
    await edge.set(2, elsewhere(port));
    await callers(edge, port);
    await edge.set(3, elsewhere(await freePort()));
    await expect(send({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // Nobody has kept the socket: it can be had anew.
    await edge.set(4, elsewhere(port));
    await callers(edge, port);
  });
});

describe('evidence of several workers', () => {
  const session = (name: string) => ({ cookie: `__evenkeel=${name}` });
  const newSession = () => randomBytes(16).toString('base64url');

  test('a session that was bad at each of them is one unit, by the weight of its first time', async () => {
    const { edge, pid, port, weighing } = await crewed(TWO);
    await edge.set(2, weighing(20));
    const clients = await callers(edge, port);
    const follower = (await edge.state()).workers?.find((each) => each !== pid) ?? 0;
    const [lead, other] = [at(clients, pid), at(clients, follower)];
    const [one, two, three] = [newSession(), newSession(), newSession()];
    const cookieOf = (name: string): Record<string, string> => session(name);
    // First at the follower, then at the lead.
    expect((await other.ask('/bad', cookieOf(one))).status).toBe(500);
    await lead.ask('/bad', cookieOf(one));
    await lead.ask('/bad', cookieOf(two));
    await edge.set(3, weighing(50));
    // Whoever reports knows the later event before the earlier one.
    await lead.ask('/bad', cookieOf(one));
    await other.ask('/bad', cookieOf(two));
    await other.ask('/bad', cookieOf(three));
    const errors = async () =>
      ((await edge.stats()).evidence[0]?.metrics.errors ?? []).map((each) => [
        each.weight,
        each.canary + each.baseline,
      ]);
    expect(await errors()).toEqual([
      [20, 2],
      [50, 1],
    ]);
    await Promise.all(clients.map(({ ask }) => ask('/bad', cookieOf(three))));
    expect(await errors()).toEqual([
      [20, 2],
      [50, 1],
    ]);
    const { canary, baseline } = (await edge.stats()).evidence[0]?.arms ?? {};
    expect((canary?.bad ?? 0) + (baseline?.bad ?? 0)).toBe(6 + clients.length);
  });
});

describe('limits of several workers', () => {
  test('are what they say, for a client with one connection and for one with many', async () => {
    const rate = { requests: 1, perMs: 600_000, burst: 12, by: 'client' as const };
    const { edge, port, pid } = await guarded([{ policy: policy({ rate }) }], {}, undefined, TWO);
    const clients = await callers(edge, port);
    const { workers = [] } = await edge.state();
    for (const [index, worker] of workers.entries()) {
      const { ask } = at(clients, worker);
      const statuses: number[] = [];
      for (let i = 0; i < 20; i++) statuses.push((await ask('/', from(`10.0.0.${index}`))).status);
      expect(statuses).toEqual([...Array(12).fill(200), ...Array(8).fill(429)]);
    }
    const many = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        (clients[index % clients.length] ?? at(clients, pid)).ask('/', from('10.0.1.1')),
      ),
    );
    expect(many.filter(({ status }) => status === 200)).toHaveLength(12);
    expect(many.filter(({ status }) => status === 429)).toHaveLength(48);
    expect(workers).toContain(pid);
  });
});

test('lines of an access log are whole, whoever writes them', async () => {
  const accessLog = { sample: 1, slowMs: 60_000, query: false };
  const { edge, port } = await guarded([{}], { accessLog }, undefined, TWO);
  const clients = await callers(edge, port);
  const before = clients.length;
  for (let round = 0; round < 20; round++)
    await Promise.all(clients.map(({ ask }) => ask(`/${'x'.repeat(2_000)}/${round}`)));
  const file = join(edge.home, 'logs', 'access', 'test', 'production.log');
  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  await waitFor(() => lines().length === before + clients.length * 20, { what: 'every request to be in the log' });
  for (const line of lines()) expect(JSON.parse(line)).toMatchObject({ status: 200 });
});
