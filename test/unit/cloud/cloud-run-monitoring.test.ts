import { expect, test } from 'vitest';
import { Monitoring } from '../../../src/drivers/cloud-run/monitoring.ts';

const HOUR = 3_600_000;
const place = { project: 'p', region: 'europe-west1' };

test('a look of one environment that reaches back an hour does not stand for one that has to reach back further', async () => {
  const begins: number[] = [];
  const calls = {
    request: async <T>(_method: string, _url: string, options?: { query?: Record<string, unknown> }): Promise<T> => {
      begins.push(Date.parse(String(options?.query?.['interval.startTime'])));
      await new Promise((resolve) => setTimeout(resolve, 5));
      return {} as T;
    },
  };
  const monitoring = new Monitoring({ calls, periodMs: 60_000, lateMs: 240_000, everyMs: 30_000 });
  const since = Date.now() - 3 * HOUR;
  await Promise.all([monitoring.of(place, null), monitoring.of(place, since), monitoring.of(place, null)]);
  expect(Math.min(...begins)).toBeLessThanOrEqual(since);
  const asked = begins.length;
  await Promise.all([monitoring.of(place, null), monitoring.of(place, since)]);
  expect(begins).toHaveLength(asked);
});
