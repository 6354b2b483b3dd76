import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openChanges } from '../../src/api/changes/changes.ts';
import { storeAway } from '../../src/engine/emergency/away-store.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { send } from '../support/edge-harness.ts';
import { shipping } from '../support/engine/shipping.ts';
import { policy, project, service } from '../support/engine/world.ts';
import { waitFor } from '../support/wait.ts';
import { type Answer, openWebWorld, type WebWorld } from '../support/web-world.ts';

const HERE = 'projects/shop/environments/production';

let it: WebWorld;
let people: ReturnType<typeof peopleOf>;
let ann: Somebody;
let restarts: number;

beforeEach(async () => {
  restarts = 0;
  it = await openWebWorld({
    stillEveryMs: 50,
    patienceMs: 500,
    restartEdge: async () => ({ ok: true, reason: `${++restarts}` }),
  });
  people = peopleOf(it);
  ann = await people.somebody('ann', ['admin'], { runsServer: true });
});
afterEach(() => it.close());

async function keyed(who: { cookie: string | null }, path: string, key: string, token?: string): Promise<Answer> {
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': key,
    ...(token === undefined ? { cookie: who.cookie ?? '' } : { authorization: `Bearer ${token}` }),
  };
  const reply = await send({ port: it.port, method: 'POST', path: `/api/v1/${path}`, headers }, '{}');
  const body = JSON.parse(reply.body) as Record<string, unknown>;
  return { status: reply.status, body, code: typeof body['code'] === 'string' ? body['code'] : null };
}

/** A canary that goes on until somebody says so. */
async function canary(approvals = 0): Promise<string> {
  const { ship, reach, promoted } = shipping(() => it.world);
  const first = await ship([service('api')]);
  await promoted(first);
  const over = { rollout: policy({ canary: [{ weight: 50, forMs: 90_000_000 }], pauseMs: 900_000_000 }) };
  const next = await ship([service('api', { ...over, env: { V: ['2'] } })], { approve: { people: approvals } });
  await reach(next, ({ phase, end }) => phase === 'canary' || end !== null, 'its canary');
  const { store } = await it.deps.access();
  await store.claimProject('shop', 'default', Date.now());
  return next.id;
}

describe('keys of one are worth nothing to another', () => {
  test('by session or token, even of those who took a name that was given up', async () => {
    const ben = await people.somebody('ben', ['viewer'], { runsServer: true });
    const token = async (who: Somebody): Promise<string> =>
      ((await who.ask('POST', 'tokens', { name: 'ci' })).body as { text: string }).text;
    const [anns, bens] = [await token(ann), await token(ben)];
    const all = [
      await keyed(ann, 'server/restart-edge', 'one-key'),
      await keyed(ben, 'server/restart-edge', 'one-key'),
      await keyed(ann, 'server/restart-edge', 'one-key', anns),
      await keyed(ben, 'server/restart-edge', 'one-key', bens),
    ];
    expect(all.map(({ body }) => body['reason'])).toEqual(['1', '2', '3', '4']);
    expect((await keyed(ann, 'server/restart-edge', 'one-key')).body['reason']).toBe('1');

    await people.local('DELETE', `users/${ben.id}`);
    const other = await people.somebody('ben', ['viewer'], { runsServer: true });
    expect((await keyed(other, 'server/restart-edge', 'one-key')).body['reason']).toBe('5');
  });
});

describe('what was taken back', () => {
  test('lets nobody in any more, not even while the store is away', async () => {
    const { body } = await ann.ask('POST', 'tokens', { name: 'ci' });
    const { text, token } = body as { text: string; token: { id: string } };
    const ci = it.withToken(text);
    const ben = await people.somebody('ben', ['operator']);
    const stolen = { ...it.browser(), cookie: ben.cookie };
    for (const each of [ci, stolen, ben]) expect((await each.ask('GET', 'rollouts')).status).toBe(200);
    await ann.ask('DELETE', `tokens/${token.id}`);
    await ben.ask('DELETE', 'session');
    expect((await ann.ask('GET', 'rollouts')).status).toBe(200);
    const { store } = await it.deps.access();
    const away = async (): Promise<never> => {
      throw storeAway();
    };
    Object.assign(store, { session: away, token: away, projects: away });
    // Who is known goes on being known: they may have to take a release back just then.
    expect((await ann.ask('GET', 'rollouts')).status).toBe(200);
    for (const each of [ci, stolen]) expect((await each.ask('GET', 'rollouts')).status).toBe(503);
  });
});

describe('an event stream', () => {
  /** Resolves with what was read once the server has ended it. */
  async function follow(
    path: string,
    headers: Record<string, string>,
  ): Promise<{ opened: boolean; over: Promise<string> }> {
    const reply = await fetch(`http://127.0.0.1:${it.port}/api/v1/${path}`, { headers });
    const over = reply.text().catch(() => 'cut');
    return { opened: reply.status === 200, over };
  }

  test('ends with the session, the token or the role of whoever follows', async () => {
    const id = await canary();
    const ben = await people.somebody('ben', ['viewer']);
    const { body } = await ben.ask('POST', 'tokens', { name: 'ci' });
    const { text, token } = body as { text: string; token: { id: string } };
    const cookie = { cookie: ben.cookie ?? '' };
    const streams = {
      bySession: await follow(`rollouts/${id}/events`, cookie),
      byToken: await follow(`rollouts/${id}/events`, { authorization: `Bearer ${text}` }),
      allOfIt: await follow('events', cookie),
    };
    for (const each of Object.values(streams)) expect(each.opened).toBe(true);
    await ben.ask('DELETE', `tokens/${token.id}`);
    await streams.byToken.over;
    const { body: all } = await ann.ask('GET', 'organizations/default/people');
    const { people: members } = all as { people: { user: { id: string }; grants: { id: string }[] }[] };
    const [grant] = members.find(({ user }) => user.id === ben.id)?.grants ?? [];
    const taken = await ann.ask('DELETE', `organizations/default/people/${ben.id}/grants/${grant?.id}`);
    expect(taken.status).toBe(200);
    await streams.bySession.over;
    // What only leaves out what one may not see goes on, until nobody is known behind it.
    await people.local('PUT', `users/${ben.id}/disabled`, { disabled: true });
    await streams.allOfIt.over;
    await waitFor(() => it.deps.changes.readers === 0, { what: 'the reader to be gone' });
  });

  test('goes on while the store is away: whoever watches a rollout then needs it most', async () => {
    const { store } = await it.deps.access();
    const controller = new AbortController();
    const reply = await fetch(`http://127.0.0.1:${it.port}/api/v1/events`, {
      headers: { cookie: ann.cookie ?? '' },
      signal: controller.signal,
    });
    let asked = 0;
    const { session } = store;
    const away = async (): Promise<never> => {
      asked++;
      throw storeAway();
    };
    Object.assign(store, { session: away });
    await waitFor(() => asked > 3, { what: 'it to be asked whether she still may' });
    Object.assign(store, { session });
    expect(it.deps.changes.readers).toBe(1);
    controller.abort();
    await reply.text().catch(() => undefined);
  });

  test('of logs that nobody reads is cut, however much there is to say', async () => {
    let handed = 0;
    let over = false;
    it.deps.logs.read = async function* ({ signal }) {
      try {
        while (!signal.aborted) {
          handed++;
          yield { at: null, line: 'x'.repeat(1_000), service: 'api', release: null, instance: 'api-0' };
        }
      } finally {
        over = true;
      }
    };
    await canary();
    const socket = connect(it.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    socket.on('error', () => undefined);
    const path = `/api/v1/${HERE}/logs?follow=true`;
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: ${ann.cookie}\r\n\r\n`);
    await waitFor(() => handed > 0, { what: 'lines to be sent' });
    await waitFor(() => over, { what: 'it to be cut' });
    // No more than the buffers between the two hold.
    expect(handed).toBeLessThan(50_000);
    socket.destroy();
  });

  test('that nobody reads takes a bounded piece of memory, and is cut', async () => {
    const changes = openChanges(it.world.engine, { heartbeatMs: 50, patienceMs: 1_000, remembered: 256 });
    Object.assign(it.deps.changes, { follow: changes.follow });
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect(it.port, '127.0.0.1');
        await once(socket, 'connect');
        socket.pause();
        socket.on('error', () => undefined);
        socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: ${ann.cookie}\r\n\r\n`);
        return socket;
      }),
    );
    await waitFor(() => changes.readers === 20, { what: 'all to be followed' });
    const before = process.memoryUsage();
    const held = ({ heapUsed, external }: NodeJS.MemoryUsage): number => heapUsed + external;
    let told = 0;
    while (changes.readers > 0 && told < 3_000_000) {
      for (let i = 0; i < 200; i++, told++)
        changes.tell({
          event: { type: 'audit', project: `p${told}`.padEnd(190, 'p'), environment: `e${told % 64}`.padEnd(190, 'e') },
          permission: null,
          scope: null,
        });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(changes.readers).toBe(0);
    // Twenty readers that were told some hundreds of megabytes.
    expect(held(process.memoryUsage()) - held(before)).toBeLessThan(100_000_000);
    for (const socket of sockets) socket.destroy();
    changes.close();
  }, 60_000);
});

describe('two people at once', () => {
  test('who promote and abort: one wins, and the other is told', async () => {
    const id = await canary();
    const ben = await people.somebody('ben', ['operator']);
    const steer = (who: Somebody, kind: string): Promise<Answer> =>
      who.ask('POST', `rollouts/${id}/requests`, { kind });
    const [promoted, aborted] = await Promise.all([steer(ann, 'promote'), steer(ben, 'abort')]);
    const { phase, end } = (await ann.ask('GET', `rollouts/${id}`)).body as { phase: string; end: string | null };
    const outcome = (each: Answer): string | null =>
      each.code ?? (each.body['answer'] as { refused: string | null } | null)?.refused ?? null;
    const said = [outcome(promoted), outcome(aborted)];
    // An abort that comes after a promotion takes it back: both were done, one after the other.
    const both = said.every((each) => each === null);
    expect(said.some((each) => each === null)).toBe(true);
    if (both) expect([phase, end]).toEqual([expect.any(String), expect.stringMatching(/aborted|rolled-back/)]);
    else expect(said).toContainEqual(expect.stringMatching(/^(no-effect|rollout-over)$/));
    // Whoever comes last is told that it is over.
    await waitFor(
      async () => ((await ann.ask('GET', `rollouts/${id}`)).body as { end: unknown }).end !== null || !both,
      { what: 'its end' },
    );
    await steer(ann, 'abort');
    await waitFor(
      async () => ((await ann.ask('GET', `rollouts/${id}`)).body as { settled: unknown }).settled === true,
      { what: 'its end' },
    );
    expect((await steer(ben, 'promote')).code).toBe('rollout-over');
  });

  test('who approve: each counts once, and the author does not', async () => {
    const { ship } = shipping(() => it.world);
    const { store } = await it.deps.access();
    await store.claimProject('shop', 'default', Date.now());
    await shipping(() => it.world).promoted(await ship([service('api')]));
    const begun = await ann.ask('POST', `${HERE}/deploy`, {
      definition: project([service('api', { env: { V: ['2'] }, rollout: policy({ pauseMs: 900_000_000 }) })], {
        approve: { people: 2 },
      }),
    });
    const id = String(begun.body['rollout']);
    await waitFor(
      async () =>
        ((await ann.ask('GET', `rollouts/${id}`)).body as { paused: { reason: string } | null }).paused?.reason ===
        'approval',
      { what: 'it to wait for approval', timeout: 20_000 },
    );
    const ben = await people.somebody('ben', ['approver']);
    const approve = (who: Somebody): Promise<Answer> =>
      who.ask('POST', `rollouts/${id}/approvals`, { kind: 'approve' });
    const refusedOf = ({ body }: Answer): unknown => (body['answer'] as { refused: unknown } | null)?.refused;
    expect(refusedOf(await approve(ann))).toBe('author-approves');
    const both = await Promise.all([approve(ben), approve(ben)]);
    expect(new Set(both.map(refusedOf))).toEqual(new Set(['approved-already', null]));
    const { approvals } = (await ann.ask('GET', `rollouts/${id}`)).body as { approvals: { given: { by: string }[] } };
    expect(approvals.given.map(({ by }) => by)).toEqual(['ben']);
    const cleo = await people.somebody('cleo', ['approver']);
    expect(refusedOf(await approve(cleo))).toBeNull();
  });

  test('who deploy: one begins, the other is told of what is under way', async () => {
    it.world.builder.observe = async () => ({ state: 'running', detail: '' });
    const ben = await people.somebody('ben', ['operator']);
    const definition = project([service('api', { build: 'make' })]);
    const both = await Promise.all([ann, ben].map((who) => who.ask('POST', `${HERE}/deploy`, { definition })));
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]));
    expect(both.map(({ code }) => code)).toContain('rollout-under-way');
    expect(((await ann.ask('GET', 'rollouts')).body as { rollouts: object[] }).rollouts).toHaveLength(1);
  });
});
