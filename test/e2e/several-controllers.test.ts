import { afterAll, beforeAll, expect, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { isGone } from '../support/bad/processes.ts';
import { heldSteps } from '../support/bad/held-steps.ts';
import { told } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { LEASE_MS, severalControllers } from '../support/several-controllers.ts';
import { waitFor } from '../support/wait.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await postgresServer();
}, 300_000);
afterAll(() => postgres.stop());

test('of two controllers one acts: killed, frozen and continued, or cut off, the other goes on with the rollout', async () => {
  // Not watched: the one that is frozen shall be there when it is continued.
  const several = await severalControllers(postgres, { count: 2, watched: false });
  const { system, way } = several;
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
  const figures: string[] = [];

  await steps.begun('build');
  const first = await several.acting();
  const killed = await several.takeover(() => process.kill(first.pid, 'SIGKILL'));
  figures.push(`killed: ${killed.ms} ms`);
  steps.release('build');
  await several.complete();

  await steps.begun('migrate');
  const second = await several.acting();
  const frozen = await several.takeover(() => process.kill(second.pid, 'SIGSTOP'));
  figures.push(`frozen: ${frozen.ms} ms`);
  steps.release('migrate');
  await steps.begun('smoke');
  process.kill(second.pid, 'SIGCONT');
  // It learns that it is late, and leaves; its successor stands by.
  await waitFor(() => isGone(second.pid), { what: 'the late one to leave', timeout: 30_000 });
  expect(await several.commandEdge(frozen.from)).toMatchObject({ applied: false, refused: { reason: 'fence' } });
  expect(await several.commandEdge(frozen.to)).toMatchObject({ applied: true });
  await several.complete();

  const third = await several.acting();
  expect(third.fence).toBe(frozen.to);
  const cut = await several.takeover(() => way.freezeClient(`evenkeel ${third.pid}\0`));
  figures.push(`cut off: ${cut.ms} ms`);
  steps.release('smoke');
  await system.reach(id, ({ phase }) => phase === 'canary', 'its canary');
  way.freezeClient(null);
  await several.complete();
  const last = await several.acting();
  const handed = await several.takeover(() => process.kill(last.pid, 'SIGTERM'));
  figures.push(`asked to leave: ${handed.ms} ms`);
  const promoted = await system.cli(['promote'], { cwd: shop.root });
  expect(promoted.code, told(promoted)).toBe(0);

  const seen = await load.stop();
  figures.push(`${seen.total} requests`);
  console.log(`takeover with a lease of ${LEASE_MS} ms: ${figures.join(', ')}`);
  expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v2' });
  expect([...seen.statuses.keys()]).toEqual([200]);
  for (const name of ['build', 'migrate', 'smoke']) expect(steps.witnessed(name), name).toBe('once\n');
  for (const { ms } of [killed, frozen, cut, handed]) expect(ms).toBeLessThan(LEASE_MS + 10_000);
  const server = await system.cli(['server', 'status'], { cwd: shop.root });
  expect(server.stdout).toMatch(/acts with fence \d+/);
}, 180_000);
