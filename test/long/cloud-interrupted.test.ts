import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { openCloud } from '../../src/app/cloud/open-cloud.ts';
import { loadProject } from '../../src/config/load-project.ts';
import { fingerprint } from '../../src/emulator/apis/sql-contents.ts';
import type { Fault } from '../../src/emulator/core/faults.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { evenkeelPaths } from '../../src/platform/paths.ts';
import { ask, emulated, endEmulators, TOKEN } from '../emulator/emulated.ts';
import { DIGITWIN } from '../support/cloud/digitwin.ts';
import { tempDir } from '../support/temp.ts';

afterEach(endEmulators);

const never = (): AbortSignal => new AbortController().signal;
const quiet = (): void => {};
const CLOUD_PROJECT = 'digitwin-production';

/** One command of a process of its own: it knows nothing of those before. */
async function deskAt(emulator: Emulator, home: string) {
  const loaded = await loadProject({ root: DIGITWIN, environment: 'production', processEnv: { HOME: home } });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const env = { EVENKEEL_CLOUD_ENDPOINT: emulator.url, EVENKEEL_CLOUD_TOKEN: TOKEN, HOME: home, EVENKEEL_HOME: home };
  return openCloud({ project: loaded.project, emulate: false, signal: never() }, { env, paths: evenkeelPaths(env) });
}

async function setUp(emulator: Emulator, home: string, signal = never()) {
  const prepared = await (await deskAt(emulator, home)).plan([], signal);
  return prepared.run(quiet, signal);
}

async function cleanUp(emulator: Emulator, home: string, signal = never()) {
  const prepared = await (
    await deskAt(emulator, home)
  ).cleanup({ all: false, apis: false, typed: 'production' }, signal);
  return prepared.run(
    prepared.document.items.map(({ address }) => address),
    quiet,
    signal,
  );
}

/** Plans what becomes of the calls from now on, by their number; answers how many there were. */
function onCalls(emulator: Emulator, faultsOf: (number: number) => Fault[]): () => number {
  let calls = 0;
  emulator.world.faults.of = () => faultsOf((calls += 1));
  return () => calls;
}

/** How many there are of each kind of thing in the whole cloud. Keys aside: that of a killed process is with nobody. */
function census(emulator: Emulator): Record<string, number> {
  const { tables } = emulator.world.state.snapshot() as { tables: Record<string, object> };
  return Object.fromEntries(
    Object.entries(tables).flatMap(([name, all]) =>
      name === 'operations' || name === 'iam.keys' ? [] : [[name, Object.keys(all).length]],
    ),
  );
}

/** All that is there as a person sees it, without times and what Google names by chance. */
async function view(emulator: Emulator, home: string) {
  const desk = await deskAt(emulator, home);
  const { document } = await desk.plan([], never());
  const { resources, unknown } = await desk.list(never());
  expect(unknown).toEqual([]);
  return {
    plan: document.lines.map(({ address, action, differences }) => ({ address, action, differences })),
    list: resources.map(({ address, state, owner }) => `${address} ${state} ${owner}`).toSorted(),
    census: census(emulator),
    policy: emulator.world.policies.get(`projects/${CLOUD_PROJECT}`)['bindings'],
    keys: readdirSync(join(home, '.config/digitwin')).map((name) => {
      const key = JSON.parse(readFileSync(join(home, '.config/digitwin', name), 'utf8')) as { client_email: string };
      return `${name} ${key.client_email}`;
    }),
  };
}

/** A kill -9 before a request, or before its answer; and Ctrl-C, after which answers still come. */
const WAYS: readonly [string, Fault[], number][] = [
  ['killed before the answer to any of its calls', [{ do: 'cut', when: 'after' }], 1],
  // One call further on it is nearly the same.
  ['killed before some of its calls are heard', [{ do: 'cut', when: 'before' }], 9],
  ['left by Ctrl-C at some of its calls', [], 9],
];

describe.each(WAYS)('a command for the whole of digitwin, %s', (_, faults, stride) => {
  async function interrupted(emulator: Emulator, at: number, work: (signal: AbortSignal) => Promise<unknown>) {
    const leaving = new AbortController();
    onCalls(emulator, (number) => {
      if (number < at) return [];
      leaving.abort();
      return faults;
    });
    await work(leaving.signal).catch(() => null);
    onCalls(emulator, () => []);
  }

  test('a set-up that is run again ends in the same state', { timeout: 900_000 }, async () => {
    const calm = await emulated();
    const home = tempDir('home');
    const calls = onCalls(calm, () => []);
    expect(await setUp(calm, home)).toMatchObject({ outcome: 'done' });
    const whole = calls();
    const wanted = await view(calm, home);
    expect(wanted.plan.every(({ action }) => action === 'keep')).toBe(true);
    for (let at = 1; at <= whole; at += stride) {
      const stormy = await emulated();
      const other = tempDir('home');
      await interrupted(stormy, at, (signal) => setUp(stormy, other, signal));
      const again = await setUp(stormy, other);
      expect(again.failed, `call ${at}`).toEqual([]);
      expect(await view(stormy, other), `call ${at}`).toEqual(wanted);
      await stormy.close();
    }
  });

  test('a clean-up that is run again leaves nothing behind', { timeout: 900_000 }, async () => {
    for (let at = 1, whole = Number.POSITIVE_INFINITY; at <= whole; at += stride) {
      const emulator = await emulated();
      const home = tempDir('home');
      await setUp(emulator, home);
      if (whole === Number.POSITIVE_INFINITY) {
        const calls = onCalls(emulator, () => []);
        expect(await cleanUp(emulator, home)).toMatchObject({ outcome: 'done' });
        whole = calls();
        await setUp(emulator, home);
      }
      await interrupted(emulator, at, (signal) => cleanUp(emulator, home, signal));
      const again = await cleanUp(emulator, home);
      expect(again.failed, `call ${at}`).toEqual([]);
      const { document } = await (
        await deskAt(emulator, home)
      ).cleanup({ all: false, apis: false, typed: 'production' }, never());
      expect(document.items, `call ${at}`).toEqual([]);
      await emulator.close();
    }
  });
});

describe('two people at once', () => {
  const valueOf = async (emulator: Emulator, secret: string): Promise<string> => {
    const path = `/v1/projects/${CLOUD_PROJECT}/secrets/${secret}/versions/latest:access`;
    const { body } = await ask(emulator, 'GET', 'secretmanager', path);
    return Buffer.from((body as { payload: { data: string } }).payload.data, 'base64').toString();
  };

  const wellAfterwards = async (emulator: Emulator, home: string): Promise<void> => {
    const last = await setUp(emulator, home);
    expect(last.failed).toEqual([]);
    const { document } = await (await deskAt(emulator, home)).plan([], never());
    expect(document.lines.filter(({ action }) => action !== 'keep' && action !== 'unmanaged')).toEqual([]);
  };

  test('two set-ups, each with a key file of its own, end in one whole', { timeout: 300_000 }, async () => {
    const emulator = await emulated({ speed: 5_000 });
    const homes = [tempDir('home'), tempDir('home')];
    await Promise.allSettled(homes.map((home) => setUp(emulator, home)));
    for (const home of homes) await wellAfterwards(emulator, home);
    const { tables } = emulator.world.state.snapshot() as unknown as {
      tables: Record<string, Record<string, { fingerprint?: string }>>;
    };
    const users = tables['sqladmin.users'] ?? {};
    const known = Object.keys(users).find((key) => key.endsWith('/app')) ?? '';
    const password = await valueOf(emulator, 'database-password');
    expect(users[known]?.fingerprint, 'services are given the password that the user has').toBe(fingerprint(password));
    expect(await valueOf(emulator, 'digitwin-production-database-url')).toContain(password);
  });

  test.each([0, 40, 200])(
    'a clean-up %i ms into a set-up: run again, all is there',
    { timeout: 300_000 },
    async (ms) => {
      const emulator = await emulated({ speed: 5_000 });
      const home = tempDir('home');
      if (ms === 0) await setUp(emulator, home);
      await Promise.allSettled([setUp(emulator, home), sleep(ms).then(() => cleanUp(emulator, home))]);
      await wellAfterwards(emulator, home);
    },
  );
});
