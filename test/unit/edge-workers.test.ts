import { expect, test } from 'vitest';
import type { EdgeState } from '../../src/domain/traffic/protocol.ts';
import { AskedLimits } from '../../src/edge/crew/asked-limits.ts';
import { mergeState } from '../../src/edge/crew/merge-state.ts';
import type { FollowerToLead } from '../../src/edge/crew/messages.ts';
import { edgeWorkers } from '../../src/platform/edge-workers.ts';
import { service } from '../support/edge-harness.ts';

test('the number of workers is 1 to 16, and one when nobody says', () => {
  expect(edgeWorkers({})).toEqual({ ok: true, count: 1 });
  expect(edgeWorkers({ EVENKEEL_EDGE_WORKERS: '4' })).toEqual({ ok: true, count: 4 });
  for (const text of ['0', '17', '1.5', 'two', '-1'])
    expect(edgeWorkers({ EVENKEEL_EDGE_WORKERS: text })).toMatchObject({
      ok: false,
      why: expect.stringContaining(text),
    });
});

const state = (healthy: boolean, inFlight: number, held: number, canary: number): EdgeState['services'] => [
  {
    key: 'test/production/api',
    fence: 3,
    config: service('api', 8080, [{ release: 'api@1', weight: 100, ports: [9000] }]),
    instances: [
      {
        id: 'api@1-9000',
        healthy,
        consecutive: 2,
        checks: 4,
        lastError: healthy ? null : 'refused',
        inFlight,
        ejected: false,
      },
    ],
    effective: [{ release: 'api@1', weight: canary }],
    held,
  },
];

test('an instance is healthy when every worker finds it so; what they are busy with is added up', () => {
  const [same] = mergeState(state(true, 1, 2, 33.3), [{ services: state(true, 4, 1, 33.3) }]);
  expect([same?.held, same?.effective]).toEqual([3, [{ release: 'api@1', weight: 33.3 }]]);
  expect(same?.instances[0]).toMatchObject({ healthy: true, inFlight: 5, lastError: null });
  const [other] = mergeState(state(true, 1, 0, 100), [{ services: state(false, 0, 0, 50) }]);
  expect(other?.instances[0]).toMatchObject({ healthy: false, lastError: 'refused' });
  expect(other?.effective).toEqual([{ release: 'api@1', weight: 75 }]);
});

test('a limit is asked for in one message, and not again by whoever has to wait', async () => {
  const said: FollowerToLead[] = [];
  const limits = new AskedLimits((message) => said.push(message) > 0, 2);
  const limiter = limits.for('a', { requests: 1, perMs: 60_000, burst: 4 });
  const waits = ['x', 'y', 'x'].map(async (client) => await limiter.take(client, 0));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(said).toHaveLength(1);
  limits.answered(1, [0, 5_000, 0]);
  expect(await Promise.all(waits)).toEqual([0, 5_000, 0]);
  expect(limiter.take('y', 1_000)).toBe(4_000);
  expect(said).toHaveLength(1);
  limiter.giveBack('y');
  const again = limiter.take('y', 1_001);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  limits.answered(2, [0]);
  expect(await again).toBe(0);
});

test('without a lead a worker lets pass its share of a limit', async () => {
  const limits = new AskedLimits(() => false, 2);
  const limiter = limits.for('a', { requests: 1, perMs: 60_000_000, burst: 4 });
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) waits.push(await limiter.take('x', 0));
  expect(waits.map((wait) => wait === 0)).toEqual([true, true, false, false]);
});
