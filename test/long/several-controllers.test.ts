import { afterAll, beforeAll, expect, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { isGone } from '../support/bad/processes.ts';
import { heldSteps } from '../support/bad/held-steps.ts';
import { told } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { LEASE_MS, type Several, severalControllers } from '../support/several-controllers.ts';
import { waitFor } from '../support/wait.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await postgresServer();
}, 300_000);
afterAll(() => postgres.stop());

interface Fault {
  /** Those that hang are killed by whoever takes over. */
  watched: boolean;
  strike(several: Several, pid: number): void;
  /** Afterwards, once another one acts; resolves when the one that was struck acts no more. */
  relent(several: Several, pid: number): Promise<void>;
}

const gone = (pid: number): Promise<unknown> =>
  waitFor(() => isGone(pid), { what: `process ${pid} to leave`, timeout: 60_000 });

const FAULTS: Record<string, Fault> = {
  killed: {
    watched: true,
    strike: (_, pid) => process.kill(pid, 'SIGKILL'),
    relent: async () => {},
  },
  'frozen for good': {
    watched: true,
    strike: (_, pid) => process.kill(pid, 'SIGSTOP'),
    relent: async (_, pid) => void (await gone(pid)),
  },
  'frozen, and continued past its lease': {
    watched: false,
    strike: (_, pid) => process.kill(pid, 'SIGSTOP'),
    async relent(_, pid) {
      process.kill(pid, 'SIGCONT');
      await gone(pid);
    },
  },
  'cut off from the database': {
    watched: true,
    strike: ({ way }, pid) => way.freezeClient(`evenkeel ${pid}\0`),
    async relent({ way }, pid) {
      await gone(pid);
      way.freezeClient(null);
    },
  },
};
const STEPS = ['build', 'migrate', 'smoke'];
/** Beyond the lease. */
const RESUMED_MS = 2_000;
const CASES = [2, 3].flatMap((count) => Object.keys(FAULTS).map((name) => [count, name] as const));

test.each(CASES)(
  'of %i controllers the one that acts is %s, at every step of a rollout: one acts, and the rollout goes on',
  async (count, name) => {
    const fault = FAULTS[name];
    if (fault === undefined) throw new Error(name);
    const several = await severalControllers(postgres, { count, watched: fault.watched });
    const { system } = several;
    const steps = heldSteps();
    const shop = await folder();
    const up = await system.cli(['up'], { cwd: shop.root });
    expect(up.code, told(up)).toBe(0);
    const load = visitors(shop.port);
    shop.configure({
      rollout: ['canary: [{ weight: 50, for: 1h }]'],
      service: [
        `build: ${steps.command('build')}`,
        `migrate: ${steps.command('migrate')}`,
        `smoke: { run: ${steps.command('smoke')} }`,
      ],
    });
    shop.program(app('v2'));
    const id = await system.deploy(shop.root);
    const took: number[] = [];

    const strike = async (): Promise<void> => {
      await several.complete();
      const { pid } = await several.acting();
      const { ms, from, to } = await several.takeover(() => fault.strike(several, pid));
      took.push(ms);
      await fault.relent(several, pid);
      expect(to).toBeGreaterThan(from);
      expect(await several.commandEdge(from)).toMatchObject({ applied: false, refused: { reason: 'fence' } });
    };
    for (const step of STEPS) {
      await steps.begun(step);
      await strike();
      steps.release(step);
    }
    await system.reach(id, ({ phase }) => phase === 'canary', 'its canary');
    await strike();
    const promoted = await system.cli(['promote'], { cwd: shop.root });
    expect(promoted.code, told(promoted)).toBe(0);
    await strike();
    await several.acting();
    const back = await system.cli(['rollback', 'api'], { cwd: shop.root });
    expect(back.code, told(back)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });

    const seen = await load.stop();
    const failed = [...seen.statuses].filter(([status]) => status !== 200);
    console.log(
      `${count} controllers, ${name}: taken over within ${took.join(', ')} ms (lease ${LEASE_MS} ms); ${seen.total} requests, ${failed.length} failed`,
    );
    expect(failed).toEqual([]);
    for (const step of STEPS) expect(steps.witnessed(step), step).toBe('once\n');
    for (const ms of took) expect(ms).toBeLessThan(LEASE_MS + RESUMED_MS);
  },
  300_000,
);
