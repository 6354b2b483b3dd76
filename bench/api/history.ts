import type { System } from '../../test/support/evenkeel-home.ts';
import { createHistogram, record, toCounts } from '../../src/lib/histogram.ts';
import type { EdgeSample, InstanceSample } from '../../src/ports/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { openTelemetry } from '../../src/store/telemetry/open.ts';

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;

/** Gives a system a past: rollouts that are over, copies of its own, and a day of statistics of every service. */
export async function giveHistory(
  system: System,
  {
    project,
    environment,
    rollouts,
    minutes = DAY_MINUTES,
  }: { project: string; environment: string; rollouts: number; minutes?: number },
): Promise<void> {
  const store = await openSqliteStore({ file: system.paths.store });
  try {
    const [last] = await store.rollouts({ project, environment, limit: 1 });
    if (last === undefined) throw new Error('there is no rollout to copy');
    for (let i = 0; i < rollouts; i++) {
      const at = last.createdAt + i + 1;
      const over = {
        phase: 'complete',
        end: 'complete',
        endedAt: at,
        promotedAt: at,
        settled: true,
        paused: null,
      } as const;
      const entry = { at, from: null, to: 'complete', reason: 'a past rollout', detail: {} } as const;
      await store.createRollout({ ...last, ...over, id: `past-${i}`, createdAt: at }, entry);
    }
    const services = (await store.deployments(project, environment)).flatMap(({ service, current }) =>
      current === null ? [] : [{ key: `${project}/${environment}/${service}`, service, release: current }],
    );
    const telemetry = await openTelemetry({
      file: system.paths.telemetry,
      warn: (message) => console.error(message),
      collectMs: 0,
    });
    try {
      const now = Date.now();
      for (const each of services) {
        const edge: EdgeSample[] = [];
        const instances: InstanceSample[] = [];
        for (let age = minutes; age > 0; age--) {
          const at = now - age * MINUTE;
          edge.push({
            at,
            key: each.key,
            release: each.release,
            requests: 300,
            bad: age % 97 === 0 ? 3 : 0,
            classes: [0, 300],
            ttfb: latencies(age),
          });
          instances.push({
            at,
            key: each.key,
            instance: `${each.service}-past`,
            release: each.release,
            cpu: 0.02,
            memory: 40_000_000,
          });
        }
        await telemetry.record({ edge, instances });
      }
    } finally {
      await telemetry.close();
    }
  } finally {
    await store.close();
  }
}

/** About as many buckets as a busy service fills in a minute. */
function latencies(seed: number): number[] {
  const histogram = createHistogram();
  for (let i = 0; i < 300; i++) record(histogram, 2 + ((i * 7919 + seed * 104_729) % 1000) ** 2 / 20_000);
  return toCounts(histogram);
}
