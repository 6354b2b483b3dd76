import { inspect } from 'node:util';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import type { PostgresOptions } from '../../src/store/postgres/open.ts';
import { aDeployment, aJudgedRollout, anEntry, aProject, aRollout } from '../conformance/store-fixtures.ts';
import { type CuttingProxy, cuttingProxy } from '../support/cutting-proxy.ts';
import { PASSWORD } from '../support/postgres.ts';
import { postgresFile } from '../support/postgres-store.ts';
import { waitFor } from '../support/wait.ts';

const pg = postgresFile();

async function openThroughProxy(
  options: Partial<PostgresOptions> = {},
): Promise<{ store: Store; proxy: CuttingProxy }> {
  const proxy = await cuttingProxy(pg.server.socket);
  onTestFinished(() => proxy.close());
  return { proxy, store: await pg.open({ url: pg.server.url(pg.database, proxy), ...options }) };
}

/** As it is said on the wire; other messages have the word in them. */
const COMMIT = 'commit\0';

const fences = async (): Promise<unknown> => {
  const [row] = await pg.server.sql(pg.database, `select value::int from counters where name = 'fence'`);
  return row?.['value'];
};

const codeOf = (error: unknown): string => (error as { code: string }).code;

describe('a server that goes away', () => {
  test('and comes back is found again', async () => {
    const store = await pg.open();
    await store.createRollout(aJudgedRollout('r1'), anEntry());
    expect(await store.nextFence()).toBe(1);
    await pg.server.stop();
    const asked = [store.nextFence(), store.nextFence()];
    const read = store.rollout('r1');
    await pg.server.start();
    expect(await Promise.all(asked)).toEqual([2, 3]);
    expect(await read).toEqual(aJudgedRollout('r1'));
  });

  test('is said, as something that may pass, and those who queue do not wait one after the other', async () => {
    const store = await pg.open({ patienceMs: 500 });
    await pg.server.stop();
    try {
      const started = performance.now();
      const asked = await Promise.allSettled(Array.from({ length: 20 }, () => store.nextFence()));
      for (const each of asked) {
        expect(each).toMatchObject({ reason: { code: 'store-busy', retryable: true, where: expect.any(String) } });
      }
      expect(performance.now() - started).toBeLessThan(20 * 500);
      await expect(store.rollout('r1')).rejects.toMatchObject({ code: 'store-busy' });
      await expect(pg.open({ patienceMs: 100 })).rejects.toMatchObject({ code: 'store-busy' });
    } finally {
      await pg.server.start();
    }
    expect(await waitFor(() => store.nextFence(), { what: 'the store' })).toBe(1);
  });

  test('in the middle of everything keeps what was acknowledged', async () => {
    const store = await pg.open();
    const acknowledged: number[] = [];
    let over = false;
    const writing = (async () => {
      while (!over) {
        await store.nextFence().then(
          (fence) => acknowledged.push(fence),
          (error: unknown) => expect(['store-busy', 'store-unsure']).toContain(codeOf(error)),
        );
      }
    })();
    for (let round = 0; round < 2; round++) {
      const before = acknowledged.length;
      await waitFor(() => acknowledged.length > before + 20, { what: 'writes', timeout: 30_000 });
      await pg.server.stop('SIGQUIT');
      await pg.server.start();
    }
    const before = acknowledged.length;
    await waitFor(() => acknowledged.length > before, { what: 'a write after it', timeout: 30_000 });
    over = true;
    await writing;
    expect(acknowledged).toEqual([...new Set(acknowledged)].toSorted((a, b) => a - b));
    expect(await store.nextFence()).toBeGreaterThan(acknowledged.at(-1) ?? 0);
  });
});

describe('a connection that is cut', () => {
  test('while nobody uses it, or within a transaction, is replaced, and nothing is done twice', async () => {
    const { store, proxy } = await openThroughProxy();
    expect(await store.nextFence()).toBe(1);
    proxy.cutAll();
    expect(await store.nextFence()).toBe(2);
    proxy.cutAt('insert into "counters"', 'before');
    expect(await store.nextFence()).toBe(3);
    proxy.cutAt('insert into "counters"', 'after');
    expect(await store.nextFence()).toBe(4);
    proxy.cutAt('from "environments"', 'after');
    expect(await store.environments()).toEqual([]);
    expect(await fences()).toBe(4);
  });

  test('while it commits leaves open what became of it, and says so instead of doing it again', async () => {
    const { store, proxy } = await openThroughProxy();
    proxy.cutAt(COMMIT, 'after');
    await expect(store.createRollout(aRollout('r1', ['api']), anEntry())).rejects.toMatchObject({
      code: 'store-unsure',
      retryable: false,
    });
    expect(await store.rollout('r1')).toMatchObject({ id: 'r1' });
    proxy.cutAt(COMMIT, 'before');
    await expect(store.createRollout(aRollout('r2', ['web']), anEntry())).rejects.toMatchObject({
      code: 'store-unsure',
    });
    expect(await store.rollout('r2')).toBeNull();
    expect(await store.createRollout(aRollout('r2', ['web']), anEntry())).toMatchObject({ created: true });
  });

  test('without a word is given up after a while, and others are let in', async () => {
    const limits = { idleInTransactionMs: 500 };
    const { store: cut, proxy } = await openThroughProxy({ patienceMs: 100, replyMs: 1_000, connectMs: 1_000, limits });
    const other = await pg.open();
    const created = await other.createRollout(aRollout('r1', ['api']), anEntry());
    if (!created.created) throw new Error('not created');
    // It holds the row, and nobody tells the server that it will never commit.
    proxy.cutAt(COMMIT, 'silent');
    const lost = cut.saveRollout({ ...created.rollout, step: 1 }, 1, [anEntry()]);
    const failed = expect(lost).rejects.toMatchObject({ code: 'store-unsure' });
    expect(await other.saveRollout({ ...created.rollout, step: 2 }, 2, [anEntry()])).toMatchObject({ saved: true });
    await failed;
    proxy.freeze(true);
    await expect(cut.rollout('r1')).rejects.toMatchObject({ code: 'store-busy', retryable: true });
    proxy.freeze(false);
    expect(await waitFor(() => cut.rollout('r1'), { what: 'the store' })).toMatchObject({ step: 2, fence: 2 });
  });
});

describe('several at once', () => {
  test('make the tables of a new database once', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => pg.open()));
    const [row] = await pg.server.sql(
      pg.database,
      'select count(*)::int as count, max(number) as newest from migrations',
    );
    expect(row?.['count']).toBe(row?.['newest']);
    expect(await Promise.all(stores.map((store) => store.environments()))).toEqual([[], [], [], []]);
  });

  test('get fences that differ and grow', async () => {
    const stores = [await pg.open(), await pg.open(), await pg.open()];
    const taken = await Promise.all(
      stores.map(async (store) => {
        const mine: number[] = [];
        for (let each = 0; each < 15; each++) mine.push(await store.nextFence());
        return mine;
      }),
    );
    for (const mine of taken) expect(mine).toEqual(mine.toSorted((a, b) => a - b));
    expect(taken.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 45 }, (_, index) => index + 1));
  });

  test('begin one rollout of a service, and the others learn which', async () => {
    const stores = [await pg.open(), await pg.open(), await pg.open()];
    for (let round = 0; round < 8; round++) {
      const service = `api${round}`;
      const results = await Promise.all(
        stores.map((store, index) => store.createRollout(aRollout(`r${round}-${index}`, [service]), anEntry())),
      );
      const winner = results.find((result) => result.created);
      expect(results.filter((result) => result.created)).toHaveLength(1);
      for (const result of results) if (!result.created) expect(result.active).toEqual(winner?.rollout);
    }
  });

  test('never get the same port', async () => {
    const stores = [await pg.open(), await pg.open()];
    for (let round = 0; round < 8; round++) {
      const results = await Promise.allSettled(
        stores.map((store, index) =>
          store.ensureDeployments([aDeployment(`s${round}-${index}`, { internalPort: 20_000 + round })]),
        ),
      );
      const refused = results.filter((each) => each.status === 'rejected');
      expect(refused).toMatchObject([{ reason: { code: 'port-taken', retryable: true } }]);
    }
  });

  test('have one winner for each version of a rollout', async () => {
    const stores = [await pg.open(), await pg.open(), await pg.open()];
    const first = await stores[0]?.createRollout(aRollout('r1', ['api']), anEntry());
    if (first?.created !== true) throw new Error('not created');
    let { rollout } = first;
    for (let round = 0; round < 8; round++) {
      const results = await Promise.all(stores.map((store) => store.saveRollout(rollout, 1, [anEntry()])));
      const saved = results.flatMap((result) => (result.saved ? [result.rollout] : []));
      expect(saved).toHaveLength(1);
      rollout = saved[0] ?? rollout;
    }
    expect(await stores[1]?.journal('r1')).toHaveLength(9);
  });

  test('do not undo what the other one has just changed in the same row', async () => {
    const [one, two] = [await pg.open(), await pg.open()];
    const known = { project: 'chat', environment: 'production', config: aProject('chat'), updatedAt: 1 };
    await one.saveEnvironment({ ...known, wanted: 'up' });
    const first = await one.createRollout(aRollout('r1', ['api']), anEntry());
    if (!first.created) throw new Error('not created');
    let { rollout } = first;
    for (let round = 0; round < 20; round++) {
      const to = { port: 9_000 + round, bind: '127.0.0.1' };
      const [saved] = await Promise.all([
        one.saveRollout(rollout, 1, [anEntry()], [], { from: null, to }),
        two.saveEnvironment({ ...known, wanted: 'down', updatedAt: round }, { keepListen: true }),
      ]);
      if (!saved.saved) throw new Error('not saved');
      ({ rollout } = saved);
      const found = await one.environment('chat', 'production');
      expect(found).toMatchObject({ wanted: 'down', updatedAt: round, config: { environment: to } });
    }
  });

  test('wait for somebody who holds a row, but not for ever', async () => {
    const store = await pg.open({ patienceMs: 300, limits: { lockMs: 100 } });
    await store.nextFence();
    const holder = new Client({ connectionString: pg.server.url(pg.database) });
    holder.on('error', () => {});
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query(`begin; select * from counters for update`);
    await expect(store.nextFence()).rejects.toMatchObject({ code: 'store-busy', retryable: true });
    await holder.query('rollback');
    expect(await store.nextFence()).toBe(2);
  });
});

test('the password is in no error, however it fails', async () => {
  const wrong = 'hunter2-but-secret';
  const url = pg.server.url(pg.database).replace(encodeURIComponent(PASSWORD), wrong);
  const bad = ['not a url', 'http://a:SECRET@b/c', `postgres://a:SECRET@h/db?nope=1`, 'postgres://a:%SECRET@h/db'].map(
    (each) => each.replace('SECRET', wrong),
  );
  const codes: string[] = [];
  const nowhere = url.replace(encodeURIComponent(pg.server.socket.replace(/\/[^/]*$/, '')), '127.0.0.1:1');
  for (const each of [url, nowhere, `${nowhere}?sslmode=require`, ...bad]) {
    const error: unknown = await pg.open({ url: each, patienceMs: 50 }).catch((caught: unknown) => caught);
    codes.push(codeOf(error));
    const everything = inspect(error, { depth: 20, showHidden: true, getters: true });
    for (const secret of [wrong, encodeURIComponent(wrong), PASSWORD]) expect(everything).not.toContain(secret);
  }
  const settings = 'store-settings';
  expect(codes).toEqual(['store-refused', 'store-busy', 'store-busy', settings, settings, settings, settings]);
});
