import { setImmediate as nextTurn } from 'node:timers/promises';
import { bucketAt, type Grid, gridOf, SAMPLE_MS, timesOf } from '../../domain/overview/grid.ts';
import {
  addInterval,
  type Figures,
  figuresOf,
  noTraffic,
  rounded,
  type Totals,
} from '../../domain/overview/traffic.ts';
import { objectivesOf } from '../../domain/project/objectives.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EdgeSample, InstanceSample } from '../../ports/store.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Series } from '../contract/series.ts';
import { UsageColumns } from './usage-columns.ts';

const HOUR = 3_600_000;
/** Rows read at a time: about as many as take ten milliseconds. */
const ROWS = 400;
/** Lines on one chart; nobody can tell more apart. */
const MOST_INSTANCES = 32;
const MOST_RELEASES = 20;
const MOST_MARKS = 200;

export interface Asked {
  project: string;
  environment: string;
  service: string;
  from: number;
  to: number;
  points: number;
}

/** Throws EvenkeelError `service-unknown`. */
export async function seriesOf(deps: ApiDeps, asked: Asked, signal: AbortSignal): Promise<Series> {
  const { project, environment, service } = asked;
  const { reads, deps: drivers } = deps.engine;
  const [record, deployments] = await Promise.all([
    reads.environment(project, environment),
    reads.deployments(project, environment),
  ]);
  const deployment = deployments.find((each) => each.service === service);
  if (record === null || deployment === undefined)
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `there is no service ${service} in ${environment} of ${project}`,
      next: 'evenkeel status',
    });
  const release = deployment.current === null ? null : await reads.release(project, deployment.current);
  const grid = gridOf({ ...asked, now: drivers.clock.now() });
  const all = columnsOf(grid);
  const byRelease = new Map<string, Totals[]>();
  const usage = new UsageColumns(grid.count);
  const watched = new Set<number>();
  const key = `${project}/${environment}/${service}`;
  await eachChunk(grid, asked, signal, async (range) => {
    const query = { key, ...range, resolution: grid.resolution };
    const [edge, instances] = await Promise.all([deps.telemetry.edge(query), deps.telemetry.instances(query)]);
    for (const sample of edge) addSample(grid, sample, [all, orMade(byRelease, sample.release, () => columnsOf(grid))]);
    for (const sample of instances) usage.add(bucketAt(grid, sample.at), sample);
    for (const { at } of [...edge, ...instances] as (EdgeSample | InstanceSample)[]) {
      const bucket = bucketAt(grid, at);
      if (bucket !== null) watched.add(bucket);
    }
  });
  const marks = marksOf(await reads.rollouts({ project, environment, service, limit: MOST_MARKS }), asked);
  const { instances, leftOut } = usage.instances(MOST_INSTANCES);
  const written = record.config.environment.objectives?.find((each) => each.service === service);
  return {
    at: timesOf(grid),
    bucketMs: grid.bucketMs,
    resolution: grid.resolution,
    traffic: trafficOf(all, grid, watched),
    releases: releaseLines(grid, byRelease, usage),
    instances,
    instancesLeftOut: leftOut,
    marks,
    limits: {
      cpu: release?.config.resources.cpu ?? null,
      memory: release?.config.resources.memory ?? null,
    },
    objectives: objectivesOf(written, release === null ? null : release.config.rollout.analysis.p95Ms),
  };
}

/** In pieces, with a turn for others in between; nobody waits for what nobody wants any more. */
async function eachChunk(
  grid: Grid,
  { to }: Pick<Asked, 'to'>,
  signal: AbortSignal,
  read: (range: { from: number; to: number }) => Promise<void>,
): Promise<void> {
  const chunk = Math.max(HOUR, ROWS * SAMPLE_MS[grid.resolution]);
  const end = Math.min(to, grid.from + grid.count * grid.bucketMs);
  for (let from = grid.from; from < end && !signal.aborted; from += chunk) {
    await read({ from, to: Math.min(from + chunk, end) });
    await nextTurn();
  }
}

/** Histograms take five kilobytes each: a piece without requests has none. */
const columnsOf = ({ count }: Grid): Totals[] => Array.from({ length: count });

function addSample(grid: Grid, sample: EdgeSample, columns: readonly Totals[][]): void {
  const bucket = bucketAt(grid, sample.at);
  if (bucket === null) return;
  for (const column of columns) addInterval((column[bucket] ??= noTraffic()), sample);
}

function trafficOf(
  columns: readonly (Totals | undefined)[],
  { bucketMs }: Grid,
  watched: ReadonlySet<number>,
): Series['traffic'] {
  const figures = columns.map((each) => (each === undefined ? null : figuresOf(each)));
  const column = (of: (figures: Figures) => number | null): (number | null)[] =>
    figures.map((each) => (each === null ? null : of(each)));
  // No request while somebody looked is none; while nobody did, nobody knows.
  const requests = figures.map((each, index) => each?.requests ?? (watched.has(index) ? 0 : null));
  return {
    requests,
    rate: requests.map((each) => (each === null ? null : rounded((each * 1000) / bucketMs))),
    errorRate: column(({ errorRate }) => rounded(errorRate)),
    averageMs: column(({ averageMs }) => averageMs),
    p50Ms: column(({ p50Ms }) => p50Ms),
    p95Ms: column(({ p95Ms }) => p95Ms),
    p99Ms: column(({ p99Ms }) => p99Ms),
  };
}

function releaseLines(grid: Grid, byRelease: Map<string, Totals[]>, usage: UsageColumns): Series['releases'] {
  const ids = new Set([...byRelease.keys(), ...usage.releaseIds()]);
  const newest = [...ids].toSorted((a, b) => numberOf(a) - numberOf(b)).slice(-MOST_RELEASES);
  return newest.map((release) => {
    const { requests, errorRate, p95Ms } = trafficOf(byRelease.get(release) ?? columnsOf(grid), grid, new Set());
    return { release, requests, errorRate, p95Ms, ...usage.release(release) };
  });
}

/** `api@42` -> 42 */
const numberOf = (release: string): number => Number(release.slice(release.lastIndexOf('@') + 1));

/** What was promoted or ended badly within the time that is shown, the oldest first. */
function marksOf(rollouts: readonly Rollout[], { service, from, to }: Asked): Series['marks'] {
  const within = (at: number | null): at is number => at !== null && at >= from && at < to;
  return rollouts
    .flatMap((rollout): Series['marks'] => {
      const part = rollout.services.find((each) => each.service === service);
      if (part === undefined) return [];
      const { id, promotedAt, end, endedAt, requestedBy } = rollout;
      const mark = { rollout: id, release: part.to, former: part.from, by: requestedBy };
      return [
        ...(within(promotedAt) ? [{ ...mark, at: promotedAt, kind: 'promoted' as const }] : []),
        ...(end !== null && end !== 'complete' && within(endedAt) ? [{ ...mark, at: endedAt, kind: end }] : []),
      ];
    })
    .toSorted((a, b) => a.at - b.at);
}

function orMade<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
