import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import type { Caller } from '../support/edge-workers.ts';
import { at, callers } from '../support/edge-workers.ts';
import { freePort } from '../support/free-port.ts';
import { waitFor } from '../support/wait.ts';

/** Nobody is waited for long: what is tested is who serves, not how long somebody idle is kept. */
const SHORT = { EVENKEEL_EDGE_IDLE_GRACE_MS: '300', EVENKEEL_EDGE_DRAIN_MS: '3000' };

/** Who is connected to a process that leaves is not hung up on before it has asked. */
const PATIENT = { EVENKEEL_EDGE_IDLE_GRACE_MS: '30000' };

async function crewed(workers: number, env: Record<string, string> = {}) {
  const edge = new EdgeHarness({ EVENKEEL_EDGE_WORKERS: String(workers), ...SHORT, ...env });
  const lead = await edge.start();
  const [one, two] = [await upstream('one'), await upstream('two')];
  const port = await freePort();
  const serving = (which: 'one' | 'two') =>
    service('api', port, [{ release: `api@${which}`, weight: 100, ports: [which === 'one' ? one.port : two.port] }]);
  await edge.set(1, serving('one'));
  await edge.healthy(`api@one-${one.port}`);
  const workers_ = async (): Promise<number[]> => (await edge.state()).workers ?? [];
  const whole = (besides: readonly number[]) =>
    waitFor(
      async () => {
        const now = await workers_();
        return now.length === workers && now.every((pid) => !besides.includes(pid));
      },
      { what: `${workers} workers without ${besides.join(', ')}`, timeout: 30_000 },
    );
  return { edge, lead, port, serving, workers: workers_, whole };
}

/** Fresh connections, one request each, a few at a time, until it is stopped. */
function freshLoad(port: number) {
  const failures: string[] = [];
  let sent = 0;
  let running = true;
  const client = async (): Promise<void> => {
    while (running) {
      sent++;
      await send({ port }).then(
        ({ status }) => status !== 200 && failures.push(String(status)),
        (error: NodeJS.ErrnoException) => failures.push(error.code ?? error.message),
      );
      await sleep(5);
    }
  };
  const clients = Array.from({ length: 4 }, client);
  return {
    failures,
    sent: () => sent,
    stop: async () => {
      running = false;
      await Promise.all(clients);
    },
  };
}

const ended = ({ socket }: Caller): Promise<unknown> =>
  waitFor(() => socket.destroyed, { what: 'a connection to end' });

describe('a follower that is killed', () => {
  test('takes nothing with it but its own connections, and comes back', async () => {
    const { edge, lead, port, workers, whole } = await crewed(3);
    const clients = await callers(edge, port);
    const [, victim = 0, other = 0] = await workers();
    const load = freshLoad(port);
    await sleep(200);
    process.kill(victim, 'SIGKILL');
    await whole([victim]);
    await load.stop();
    // Whoever it was just answering at most: four clients ask at a time.
    expect(load.failures.length).toBeLessThanOrEqual(4);
    expect(load.sent()).toBeGreaterThan(20);
    for (const worker of [lead.pid, other]) expect((await at(clients, worker).ask()).body).toBe('one');
    await ended(at(clients, victim));
    expect((await workers())[0]).toBe(lead.pid);
    // The new one serves, and by the same table; what the former one had reported is not taken back.
    await callers(edge, port);
    const { requests } = await edge.release('api@one');
    expect(requests).toBeGreaterThanOrEqual(clients.length);
    expect((await edge.release('api@one')).requests).toBe(requests);
  });

  test('or that hangs: a command does not wait for it for long, and it sends nobody anywhere afterwards', async () => {
    const { edge, port, serving, workers, whole } = await crewed(2, { EVENKEEL_EDGE_ANSWER_MS: '400' });
    const clients = await callers(edge, port);
    const [, victim = 0] = await workers();
    process.kill(victim, 'SIGSTOP');
    await edge.set(2, serving('two'));
    expect(edge.processes()).not.toContain(victim);
    await ended(at(clients, victim));
    await whole([victim]);
    for (const { ask } of await callers(edge, port)) expect((await ask()).body).toBe('two');
  });
});

/** An orphan that has not noticed yet answers, by the new table, and keeps the connection. */
async function sentAway(ask: Caller['ask'], by: string): Promise<void> {
  const bodies: string[] = [];
  await waitFor(
    async () => {
      const { body, headers } = await ask();
      bodies.push(body);
      return headers.connection === 'close';
    },
    { what: 'to be told to come again elsewhere' },
  );
  expect(new Set(bodies)).toEqual(new Set([by]));
}

describe('a lead that is killed', () => {
  test('leaves workers that serve until another one does, by what that one is told, and then leave', async () => {
    const { edge, lead, port, serving, workers } = await crewed(2, PATIENT);
    const clients = await callers(edge, port);
    const [, orphan = 0] = await workers();
    const load = freshLoad(port);
    await edge.kill(lead);
    // Without a lead, and without anybody who waits in the kernel's queue.
    for (let i = 0; i < 10; i++) expect((await send({ port })).body).toBe('one');
    const next = await edge.start();
    await edge.set(2, serving('two'));
    // Whoever is connected there is answered once more, by the new table, and told to come again elsewhere.
    for (const { ask, worker } of clients) if (worker === orphan) await sentAway(ask, 'two');
    await load.stop();
    expect(load.failures.length).toBeLessThanOrEqual(4);
    // Well before an orphan would leave by itself.
    await waitFor(async () => edge.processes().length === 2, { what: 'one set of workers', timeout: 20_000 });
    expect(new Set(edge.processes())).toEqual(new Set(await workers()));
    expect((await workers())[0]).toBe(next.pid);
    for (const { ask } of await callers(edge, port)) expect((await ask()).body).toBe('two');
  });
});

describe('a hand-over of several workers', () => {
  test('loses no request, counts every one, and ends with one set of them', async () => {
    const { edge, lead, port, serving, workers } = await crewed(2);
    const before = (await edge.release('api@one')).requests;
    const load = freshLoad(port);
    let current = lead;
    for (let swap = 0; swap < 2; swap++) {
      await sleep(300);
      const former = current;
      current = await edge.handOver(former);
      // As soon as it is ready all of its workers are there.
      expect(await workers()).toHaveLength(2);
      await edge.set(2 + swap, serving('one'));
      await former.exited;
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect((await edge.release('api@one')).requests - before).toBe(load.sent());
    await waitFor(() => edge.processes().length === 2, { what: 'one set of workers', timeout: 30_000 });
  });

  test('that ends for good ends all of them', async () => {
    const { edge, lead } = await crewed(3);
    lead.child.send({ type: 'shutdown' });
    await lead.exited;
    expect(edge.processes()).toEqual([]);
  });
});
