import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../src/api/contract/changes.ts';
import type { StreamedEvent } from '../../src/api/contract/client.ts';
import type { Notice } from '../../src/api/changes/ring.ts';
import type { Scope } from '../../src/domain/access/may.ts';
import type { ChangesOptions } from '../../src/api/changes/changes.ts';
import { openServedWorld, projectIn, quick, type ServedWorld } from '../support/api/served-world.ts';
import { waitFor } from '../support/wait.ts';

const PRODUCTION = { project: 'shop', environment: 'production' };

let served: ServedWorld;
const open = async (options: ChangesOptions = {}): Promise<void> => void (served = await openServedWorld(options));
afterEach(() => served.close());

interface Reader {
  events: StreamedEvent<ChangeEvent>[];
  beats: number;
  types(): string[];
  last(): string;
  leave(): void;
}

function read(lastEventId?: string): Reader {
  const gone = new AbortController();
  const reader: Reader = {
    events: [],
    beats: 0,
    types: () => reader.events.map(({ data }) => data.type),
    last: () => reader.events.at(-1)?.id ?? '',
    leave: () => gone.abort(),
  };
  const options = { signal: gone.signal, ...(lastEventId === undefined ? {} : { lastEventId }) };
  void (async () => {
    for await (const event of served.client.followChanges({}, options))
      if (event === null) reader.beats++;
      else reader.events.push(event);
  })().catch(() => {});
  return reader;
}
const told = (reader: Reader, good: (event: ChangeEvent) => boolean, what: string): Promise<unknown> =>
  waitFor(() => reader.events.some(({ data }) => good(data)), { what, timeout: 20_000 });

const audit = (scope: Scope | null): Notice => ({
  event: { type: 'audit', project: scope?.project ?? null, environment: scope?.environment ?? null },
  permission: 'environment:read',
  scope,
});

describe('whoever follows changes', () => {
  test('is told of a rollout from its begin to its end, and of what serves', async () => {
    await open();
    const reader = read();
    await told(reader, ({ type }) => type === 'reset', 'the begin');
    expect(reader.events[0]?.data).toEqual({ type: 'reset', reason: 'begin' });
    const rollout = await served.serve(projectIn('production', [quick('api')]));
    await told(reader, (event) => event.type === 'rollout' && event.end === 'complete' && event.settled, 'the end');
    await told(reader, (event) => event.type === 'release' && event.release === 'api@1', 'the release');
    const phases = reader.events.flatMap(({ data }) => (data.type === 'rollout' ? [data.phase] : []));
    expect(phases).toEqual(expect.arrayContaining(['watching', 'complete']));
    for (const { data } of reader.events) if (data.type === 'rollout') expect(data.rollout).toBe(rollout);
    // Then it is quiet: nothing changes, and nothing is said.
    const before = await stillness(reader);
    served.world.engine.wake(PRODUCTION);
    served.world.traffic.healthy = () => false;
    await waitFor(() => reader.events.length > before, { what: 'the change of health' });
    expect(reader.events.at(-1)?.data).toEqual({ type: 'status', ...PRODUCTION });
    reader.leave();
  });

  test('goes on after what it has seen last, and is not told the same again', async () => {
    await open();
    const reader = read();
    await told(reader, ({ type }) => type === 'reset', 'the begin');
    await served.serve(projectIn('production', [quick('api')]));
    await told(reader, (event) => event.type === 'rollout' && event.settled, 'the end');
    await stillness(reader);
    const seen = reader.last();
    reader.leave();
    served.changes.tell(audit(PRODUCTION));
    served.changes.tell(audit(PRODUCTION));
    const again = read(seen);
    await told(again, ({ type }) => type === 'audit', 'what was missed');
    expect(again.types()).toEqual(['audit']);
    const third = read(again.last());
    served.changes.tell(audit(null));
    await told(third, ({ type }) => type === 'audit', 'what came then');
    expect(third.types()).toEqual(['audit']);
    for (const each of [again, third]) each.leave();
  });

  test('has to begin anew where nobody remembers what was missed', async () => {
    await open({ remembered: 8 });
    const reader = read();
    await told(reader, ({ type }) => type === 'reset', 'the begin');
    const begin = reader.last();
    for (let i = 0; i < 40; i++) served.changes.tell(audit({ project: 'p', environment: `e${i}` }));
    const resets: Record<string, string> = {
      [begin]: 'too-old',
      'another.3': 'other-controller',
      [begin.replace(/\d+$/, '999999')]: 'too-old',
      'no id at all': 'other-controller',
    };
    for (const [id, reason] of Object.entries(resets)) {
      const again = read(id);
      await told(again, ({ type }) => type === 'reset', `the reset after ${id}`);
      expect(again.events[0]?.data).toEqual({ type: 'reset', reason });
      // What it is told to go on with is of now.
      const next = read(again.last());
      served.changes.tell(audit(null));
      await told(next, ({ type }) => type === 'audit', 'what came then');
      expect(next.types()).toEqual(['audit']);
      for (const each of [again, next]) each.leave();
    }
    reader.leave();
  });

  test('hears that the line is alive', async () => {
    await open({ heartbeatMs: 30 });
    const reader = read();
    await waitFor(() => reader.beats >= 3, { what: 'three heartbeats' });
    expect(reader.types()).toEqual(['reset']);
    reader.leave();
  });

  test('is told only of what may be seen', async () => {
    await open();
    const gone = new AbortController();
    const events: ChangeEvent[] = [];
    const following = (async () => {
      for await (const sent of served.changes.follow({
        may: (_, scope) => scope?.environment === 'staging',
        lastEventId: null,
        signal: gone.signal,
        cut: () => {},
      }))
        if (sent !== null) events.push(sent.data);
    })();
    await waitFor(() => events.length === 1, { what: 'the begin' });
    served.changes.tell(audit(PRODUCTION));
    served.changes.tell(audit(null));
    served.changes.tell({ event: { type: 'metrics' }, permission: null, scope: null });
    served.changes.tell(audit({ project: 'shop', environment: 'staging' }));
    await waitFor(() => events.length === 3, { what: 'what is for everybody, and what is for it' });
    expect(events.map(({ type }) => type)).toEqual(['reset', 'metrics', 'audit']);
    expect(events[2]).toMatchObject({ environment: 'staging' });
    gone.abort();
    await following;
  });
});

describe('readers', () => {
  test('cost the store nothing, however many there are', async () => {
    await open();
    await served.serve(projectIn('production', [quick('api')]));
    const readers = Array.from({ length: 60 }, () => read());
    for (const reader of readers) await told(reader, ({ type }) => type === 'reset', 'the begin');
    let reads = 0;
    const { store } = served.world;
    for (const name of ['rollouts', 'journal', 'rollout', 'release'] as const) {
      const real = store[name].bind(store) as (...args: unknown[]) => Promise<never>;
      store[name] = (...args: unknown[]) => (reads++, real(...args));
    }
    const looks = { count: 0 };
    const off = served.world.engine.onLook(() => void looks.count++);
    for (let i = 0; i < 30; i++) {
      served.changes.tell(audit({ project: 'p', environment: `e${i}` }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const reader of readers)
      await told(reader, (event) => event.type === 'audit' && event.environment === 'e29', 'the last');
    off();
    // The engine reads when it looks: one list of rollouts each time, and not one for each reader.
    expect(reads).toBeLessThanOrEqual((looks.count + 2) * 4);
    for (const reader of readers) reader.leave();
  });

  test('who do not read are waited for without piling up, and cut after a while', async () => {
    await open({ heartbeatMs: 50, patienceMs: 1_000, remembered: 64 });
    const socket = await stuck();
    const reader = read();
    await told(reader, ({ type }) => type === 'reset', 'the begin');
    // More than what the buffers between the two hold, of many things; then nothing, but for signs of life.
    for (let i = 0; i < 60; i++) {
      for (let j = 0; j < 60; j++)
        served.changes.tell(audit({ project: `${'p'.repeat(190)}${j}`, environment: `${'e'.repeat(190)}${i}` }));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await waitFor(() => cutBy(served.changes), { what: 'it to be cut', timeout: 20_000 });
    socket.destroy();
    // Others were told meanwhile, the last of it too.
    served.changes.tell(audit(null));
    await told(reader, (event) => event.type === 'audit' && event.project === null, 'the last');
    reader.leave();
  });

  test('are as many as there may be', async () => {
    await open({ mostReaders: 2 });
    const two = [read(), read()];
    for (const reader of two) await told(reader, ({ type }) => type === 'reset', 'the begin');
    await expect(served.client.followChanges({}).next()).rejects.toMatchObject({
      code: 'too-many-streams',
      retryable: true,
    });
    two[0]?.leave();
    const third = await waitFor(
      async () => {
        const reader = read();
        await waitFor(() => reader.events.length > 0, { what: 'its begin', timeout: 500 });
        return reader;
      },
      { what: 'the place of the one that left' },
    );
    for (const reader of [...two, third]) reader.leave();
  });
});

/** How many events there are when nothing more comes. */
async function stillness(reader: Reader): Promise<number> {
  let before = -1;
  await waitFor(
    () => {
      const still = reader.events.length === before;
      before = reader.events.length;
      return still;
    },
    { what: 'it to be quiet', interval: 400 },
  );
  return before;
}

/** Asks for the events and reads none of them. */
async function stuck(): Promise<Socket> {
  const socket = connect(served.socketPath);
  await once(socket, 'connect');
  socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${served.token}\r\n\r\n`);
  await once(socket, 'readable');
  return socket.pause();
}

/** Only the one who reads is left. */
const cutBy = (changes: ServedWorld['changes']): boolean => changes.readers === 1;
