import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { policy, project, service } from '../support/engine/world.ts';
import { CALM } from '../support/simulation/adversary.ts';
import { Controllers } from '../support/simulation/controllers.ts';
import { newMachine } from '../support/simulation/machine.ts';
import { random } from '../support/simulation/random.ts';
import { VirtualTime } from '../support/simulation/time.ts';

const HOUR = 3_600_000;
const EVERY = HOUR / 12;
/** What the store (in memory here) and the fakes may remember of a rollout that is over, bytes. */
const HISTORY_OF_ONE = 60_000;

/** Bytes that are still referred to. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('a day of rollouts, one every five minutes, leaves nothing behind in the controller', async () => {
  const start = 1_700_000_000_000;
  const time = new VirtualTime(start);
  const chance = random(1);
  const machine = newMachine(time, chance);
  const controllers = new Controllers(machine, { time, chance, malice: CALM, several: 1, note: () => undefined });
  await controllers.begin();
  const rollout = policy({
    canary: [{ weight: 10, forMs: 30_000 }],
    onInconclusive: 'promote',
    rollbackWindowMs: 60_000,
  });
  const samples: { hour: number; heap: number; running: number; timers: number }[] = [];
  for (let at = 0; at < 24 * HOUR; at += EVERY) {
    const engine = controllers.acting?.engine;
    if (engine === undefined) throw new Error('nobody acts');
    const env = { VERSION: [String(at)] };
    await deploy(engine, {
      project: project([
        service('api', { env, rollout, routes: [{ host: null, path: '/api' }] }),
        service('web', { env, rollout, routes: [{ host: null, path: '/' }] }),
      ]),
      services: null,
      onlyChanged: false,
      label: null,
      replace: false,
      keepFailed: null,
      by: 'ann',
    });
    for (let visited = time.now; await time.step(start + at + EVERY);) {
      if (time.now - visited < 2_000) continue;
      visited = time.now;
      machine.edge.visit(100, () => 0.001);
    }
    if (at % HOUR === 0) {
      const running = await machine.runtime.observe({ project: 'shop', environment: 'production' });
      samples.push({ hour: at / HOUR, heap: heap(), running: running.length, timers: time.pending });
    }
  }
  const rollouts = await machine.store.rollouts({});
  const promoted = rollouts.filter((each) => each.promotedAt !== null).length;
  const [early, late] = [samples[4], samples.at(-1)];
  if (early === undefined || late === undefined) throw new Error('no samples');
  const perRollout = (late.heap - early.heap) / ((late.hour - early.hour) * (HOUR / EVERY));
  console.log(
    `${rollouts.length} rollouts, ${promoted} promoted; heap ${(early.heap / 1e6).toFixed(1)} MB after ${early.hour} h, ` +
      `${(late.heap / 1e6).toFixed(1)} MB after ${late.hour} h: ${(perRollout / 1e3).toFixed(1)} kB for each rollout, its history included; ` +
      `${early.running} and ${late.running} instances, ${early.timers} and ${late.timers} timers`,
  );
  expect(promoted).toBe(rollouts.length);
  expect(late.running).toBe(early.running);
  expect(late.timers).toBeLessThanOrEqual(early.timers + 2);
  expect(perRollout).toBeLessThan(HISTORY_OF_ONE);
});
