import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { folder } from '../support/bad/app.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { deathIn, FOLDER, give, MOMENTS, type Moment, withdraw } from '../support/checkpoints/order.ts';
import { openHome } from '../support/evenkeel-home.ts';
import { single, witnessed } from '../support/features/once.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const checkpoints = tempDir('checkpoints');
const system = openHome(tempDir('home'));
Object.assign(system.env, {
  EVENKEEL_CONTROLLER_ENTRY: fileURLToPath(new URL('../support/checkpoints/controller-entry.ts', import.meta.url)),
  [FOLDER]: checkpoints,
});
afterAll(() => system.stop(), 90_000);

/** A controller that has lived so long, ms, is started again at once when it dies. */
const WELL_MS = 10_200;
/** So many short lives in a row are still followed by another one soon. */
const SHORT_LIVES = 3;

/** Every transition around the moment in which one release has stopped and the other has not taken over. */
const PLACES = [
  { what: 'good', of: 'migrating', nth: 1 },
  { what: 'good', of: 'verifying', nth: 1 },
  // It gives way.
  { what: 'good', of: 'verifying', nth: 2 },
  { what: 'good', of: 'promoting', nth: 1 },
  { what: 'good', of: 'watching', nth: 1 },
  { what: 'sick', of: 'failed', nth: 1 },
  { what: 'back', of: 'request rollback', nth: 1 },
  { what: 'back', of: 'rolled-back', nth: 1 },
] as const;

test('what cannot run twice never does, and fails no request, wherever the controller is killed', async () => {
  const health = 'health: { path: /health, interval: 100ms, grace: 100ms, deadline: 2s }';
  const shop = await folder({
    name: 'killed',
    service: ['overlap: false', 'data: [kept]', health],
    files: { 'main.js': single('v0') },
  });
  const up = await system.cli(['up'], { cwd: shop.root });
  expect(up.code, up.stderr).toBe(0);
  const load = visitors(shop.port);
  let serving = 'v0';
  let round = 0;
  const sick = `health = (request, response) => { response.statusCode = 500; response.end(); };`;

  const playOne = async (place: (typeof PLACES)[number], moment: Moment): Promise<void> => {
    const name = `${moment} ${place.of} (${place.nth}), ${place.what}`;
    const version = `v${++round}`;
    shop.program(single(version, place.what === 'sick' ? sick : ''));
    const order = { part: 'controller' as const, moment, of: place.of, nth: place.nth };
    if (place.what !== 'back') give(checkpoints, order);
    const id = await system.deploy(shop.root);
    const over = ({ phase, end }: { phase: string; end: string | null }): boolean =>
      phase === 'watching' || end !== null;
    const seen = await system.reach(id, over, `${name}: its end`);
    if (place.what === 'back') {
      give(checkpoints, order);
      const back = await system.cli(['rollback', 'api'], { cwd: shop.root });
      expect(back.code, `${name}: ${back.stdout}${back.stderr}`).toBe(0);
    }
    if (place.what === 'good') serving = version;
    expect(seen.end, name).toBe(place.what === 'sick' ? 'failed' : null);
    await system.reach(
      id,
      ({ end, settled }) => place.what === 'good' || (end !== null && settled),
      `${name}: to settle`,
    );
    // What is acknowledged is so with the next write.
    await waitFor(() => deathIn(checkpoints), { what: `${name} to be reached`, timeout: 60_000 });
    withdraw(checkpoints);
    expect((await visit(shop.port)).version, name).toBe(serving);
    expect(
      witnessed(system, 'killed').filter((line) => line.startsWith('twice')),
      name,
    ).toEqual([]);
  };

  for (const place of PLACES)
    for (const moment of MOMENTS) {
      await playOne(place, moment);
      if (round % SHORT_LIVES === 0) await sleep(WELL_MS);
    }
  const { statuses, total } = await load.stop();
  console.log(`${round} deaths, ${total} requests`);
  expect([...statuses]).toEqual([[200, total]]);
  // One after the other: every start but the last has its stop before the next.
  const lines = witnessed(system, 'killed');
  for (const [index, line] of lines.entries())
    expect(line.startsWith(index % 2 === 0 ? 'start' : 'stop'), `${index}: ${line}`).toBe(true);
});
