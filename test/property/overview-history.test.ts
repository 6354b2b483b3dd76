import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayOf, DAY_POINTS, History } from '../../src/api/overview/history.ts';
import type { EdgeSample, InstanceSample, Telemetry } from '../../src/ports/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = 1_700_000_000_000 - (1_700_000_000_000 % (30 * MINUTE));
const key = 'p/e/api';

/** Telemetry by the minute, in memory. */
function fakeTelemetry() {
  const edge: EdgeSample[] = [];
  const instances: InstanceSample[] = [];
  const within = <T extends { at: number }>(all: T[], { from, to }: { from: number; to: number }): T[] =>
    all.filter(({ at }) => at >= from && at < to).toSorted((a, b) => a.at - b.at);
  const telemetry: Pick<Telemetry, 'edge' | 'instances'> = {
    edge: async (range) => within(edge, range),
    instances: async (range) => within(instances, range),
  };
  return {
    telemetry,
    took(at: number, requests: number): void {
      const minute = Math.floor(at / MINUTE) * MINUTE;
      instances.push({ at: minute, key, instance: 'i', release: 'api@1', cpu: 0, memory: 0 });
      if (requests === 0) return;
      const release = `api@${requests % 2}`;
      edge.push({ at: minute, key, release, requests, bad: requests > 3 ? 1 : 0, classes: [], ttfb: [100, requests] });
    },
  };
}

test('what is kept of a day is what a look at all of it would say, whenever somebody looked before', async () => {
  const step = fc.record({
    /** Time that passes, and samples that are taken at its end. */
    minutes: fc.oneof(fc.constantFrom(0.2, 1, 2), fc.integer({ min: 1, max: 200 }), fc.constant(60 * 25)),
    requests: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 }),
    /** They are written a little later. */
    lateMs: fc.integer({ min: 0, max: 100_000 }),
    looks: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const { telemetry, took } = fakeTelemetry();
      const kept = new History(telemetry);
      let now = START;
      for (const { minutes, requests, lateMs, looks } of steps) {
        now += minutes * MINUTE;
        for (const each of requests) took(now - lateMs, each);
        if (!looks) continue;
        const seen = await kept.of(key, now);
        await kept.settled();
        const anew = new History(telemetry);
        const fresh = await anew.of(key, now);
        await anew.settled();
        expect([seen.missing, fresh.missing]).toEqual([null, null]);
        expect(dayOf(seen, now)).toEqual(dayOf(fresh, now));
        const recent = <V>(all: Iterable<[number, V]>): [number, V][] =>
          [...all].filter(([at]) => at > now - HOUR).toSorted(([a], [b]) => a - b);
        expect(recent(seen.minutes)).toEqual(recent(fresh.minutes));
        expect(recent(seen.watched.entries())).toEqual(recent(fresh.watched.entries()));
        // However long it goes on, no more is kept than is shown.
        expect(seen.pieces.size).toBeLessThanOrEqual(DAY_POINTS);
        expect(seen.minutes.size).toBeLessThanOrEqual(71);
      }
    }),
    { numRuns: 60 },
  );
});
