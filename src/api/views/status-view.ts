import { describeEnd } from '../../domain/instance/supervise.ts';
import type { Deployment, Release } from '../../domain/release/release.ts';
import type { EnvironmentConfig } from '../../domain/project/project.ts';
import { plural } from '../../lib/format.ts';
import { fromCounts, quantile } from '../../lib/histogram.ts';
import type { EdgeSample, InstanceSample } from '../../ports/store.ts';
import type { Sizes } from '../../engine/scaling.ts';
import { edgeServiceOf, type Snapshot } from '../../engine/snapshot.ts';
import type { ScheduleStatus } from '../contract/runs.ts';
import type { ServiceStatus } from '../contract/status.ts';

/** What one sample covers. */
const SAMPLE_SECONDS = 10;
/** A worker or instance younger than this is not yet called unhealthy. */
const STARTING_MS = 10_000;

export interface ServiceStatusInput {
  project: string;
  environment: EnvironmentConfig;
  wanted: 'up' | 'down';
  deployment: Deployment;
  release: (id: string) => Release | null;
  /** Why no copy of it can be started, if so. */
  unstartable: (release: string) => string | null;
  snapshot: Snapshot;
  /** Absent: it runs all the time. */
  schedule: ScheduleStatus | undefined;
  /** How many instances its release ought to have. */
  size: Sizes;
  /** Of the last minute, oldest first. */
  edgeSamples: EdgeSample[];
  instanceSamples: InstanceSample[];
}

/** One service as it is seen now, never as it was meant to be. */
export function serviceStatus(input: ServiceStatusInput): ServiceStatus {
  const { deployment, snapshot } = input;
  const release = deployment.current === null ? null : input.release(deployment.current);
  const scope = { project: input.project, environment: input.environment.name };
  const edge = edgeServiceOf(snapshot, scope, deployment.service);
  const kind = release?.config.kind ?? 'http';
  const instances = snapshot.instances
    .filter((each) => each.service === deployment.service && each.state !== 'ended')
    .map((each): ServiceStatus['instances'][number] => {
      const health = edge?.instances.find((known) => known.id === each.id);
      const before = snapshot.instances.find(
        (other) =>
          other.release === each.release && other.index === each.index && other.generation === each.generation - 1,
      );
      return {
        id: each.id,
        release: each.release,
        state: each.state,
        healthy:
          kind === 'worker' ? each.state === 'running' : snapshot.edge === null ? null : (health?.healthy ?? false),
        pid: each.pid,
        port: each.port,
        startedAt: each.startedAt,
        restarts: each.generation,
        cpu: input.instanceSamples.findLast((sample) => sample.instance === each.id)?.cpu ?? null,
        memory: each.usage?.memory ?? null,
        lastEnd: before === undefined || before.end === null ? null : describeEnd(before.end),
      };
    });
  const { health, detail } = healthOf(input, release, instances, edge !== null);
  return {
    service: deployment.service,
    kind,
    release: deployment.current,
    label: release?.source.label ?? null,
    former: deployment.former,
    health,
    detail,
    instances,
    weights: Object.fromEntries(
      edge?.config.releases.filter((each) => each.weight > 0).map((each) => [each.release, each.weight]) ?? [],
    ),
    urls: release === null ? [] : placesOf(release, input.environment, edge?.url),
    internalUrl:
      edge?.url !== undefined || deployment.internalPort === null
        ? null
        : `http://127.0.0.1:${deployment.internalPort}`,
    ...(input.schedule === undefined ? {} : { schedule: input.schedule }),
    traffic: trafficOf(input.edgeSamples, snapshot.at),
  };
}

function healthOf(
  input: ServiceStatusInput,
  release: Release | null,
  instances: ServiceStatus['instances'],
  atEdge: boolean,
): Pick<ServiceStatus, 'health' | 'detail'> {
  if (input.wanted === 'down')
    return instances.length === 0
      ? { health: 'stopped', detail: 'brought down' }
      : { health: 'degraded', detail: `being brought down; ${plural(instances.length, 'instance')} left` };
  if (release === null) return { health: 'stopped', detail: 'no release has been promoted yet' };
  if (input.schedule !== undefined) return healthOfSchedule(input.schedule);
  const { kind } = release.config;
  if (kind !== 'worker' && input.snapshot.edge === null)
    return { health: 'unknown', detail: 'the edge does not answer' };
  if (kind === 'static')
    return atEdge ? { health: 'healthy', detail: 'served by the edge' } : { health: 'down', detail: 'not at the edge' };
  const mine = instances.filter((each) => each.release === release.id && each.state === 'running');
  const well = mine.filter((each) => each.healthy === true).length;
  const wanted = input.size(release);
  const unstartable = input.unstartable(release.id);
  const detail = `${well} of ${wanted} healthy${unstartable === null ? '' : `; cannot be started: ${unstartable}`}`;
  if (well >= wanted) return { health: 'healthy', detail };
  if (well > 0) return { health: 'degraded', detail };
  const young = mine.some((each) => input.snapshot.at - each.startedAt < STARTING_MS);
  const none = mine.length === 0 && unstartable === null;
  return { health: young ? 'degraded' : 'down', detail: none ? whyNone(input, release) : detail };
}

/** It is as well as its last run was. */
function healthOfSchedule({ running, last }: ScheduleStatus): Pick<ServiceStatus, 'health' | 'detail'> {
  const now = running === null ? '' : '; it runs now';
  if (last === null) return { health: 'healthy', detail: running === null ? 'it has not run yet' : 'it runs now' };
  const well = ['done', 'cancelled'].includes(last.state);
  const said = last.state === 'done' ? 'the last run was done' : `the last run ${SAID[last.state]}: ${last.reason}`;
  return { health: well ? 'healthy' : 'degraded', detail: `${said}${now}` };
}

const SAID = {
  done: 'was done',
  running: 'goes on',
  failed: 'failed',
  cancelled: 'was cancelled',
  unknown: 'has an unknown end',
  skipped: 'was skipped',
  missed: 'was missed',
} as const;

/** Between the end of the last instance and the start of the next one. */
function whyNone({ snapshot }: ServiceStatusInput, release: Release): string {
  const last = snapshot.instances
    .filter((each) => each.release === release.id && each.state === 'ended')
    .toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0))
    .at(-1);
  if (last === undefined) return 'no instance runs';
  return `no instance runs; the last one ended with ${describeEnd(last.end)} after ${plural(last.generation, 'restart')}, and is started again after a pause`;
}

/** `url`: of what is not served by ports of this machine. */
function placesOf(release: Release, environment: EnvironmentConfig, url: string | undefined): string[] {
  if (release.config.cloud === undefined) return urlsOf(release, environment);
  return url === undefined ? [] : [url];
}

function urlsOf(release: Release, environment: EnvironmentConfig): string[] {
  const urls = release.config.routes.map((route) => {
    const host = route.host ?? hostOf(environment.bind);
    const { tls } = environment;
    const scheme = tls === undefined ? 'http' : 'https';
    const number = tls?.port ?? environment.port;
    const port = number === (tls === undefined ? 80 : 443) ? '' : `:${number}`;
    return `${scheme}://${host}${port}${route.path}`;
  });
  return [...new Set(urls)];
}

/** The address to type for what binds this one. */
function hostOf(bind: string): string {
  if (['0.0.0.0', '127.0.0.1', '::', '::1'].includes(bind)) return 'localhost';
  return bind.includes(':') ? `[${bind}]` : bind;
}

function trafficOf(samples: EdgeSample[], now: number): ServiceStatus['traffic'] {
  const [oldest] = samples;
  if (oldest === undefined) return null;
  const requests = samples.reduce((sum, each) => sum + each.requests, 0);
  const bad = samples.reduce((sum, each) => sum + each.bad, 0);
  // Intervals without a request have no sample, but they are time that passed.
  const seconds = Math.max(0, now - oldest.at) / 1000 + SAMPLE_SECONDS;
  const merged = fromCounts([]);
  for (const sample of samples)
    for (const [bucket, count] of fromCounts(sample.ttfb).entries()) merged[bucket] = (merged[bucket] ?? 0) + count;
  return {
    requestsPerSecond: requests / seconds,
    errorRate: requests === 0 ? null : bad / requests,
    p95Ms: quantile(merged, 0.95)?.estimate ?? null,
  };
}
