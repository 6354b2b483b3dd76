import { type Concern, concernsOf } from '../../domain/overview/concerns.ts';
import { judge, type Judged } from '../../domain/overview/judge.ts';
import { roleOf } from '../../domain/overview/role.ts';
import type { Consumer } from '../../domain/overview/top-consumers.ts';
import { figuresOf, totalsOf } from '../../domain/overview/traffic.ts';
import { objectivesOf } from '../../domain/project/objectives.ts';
import type { Resources } from '../../domain/project/project.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { OverviewRow, UnderWay } from '../contract/overview.ts';
import type { RolloutView } from '../contract/rollouts.ts';
import type { ServiceStatus } from '../contract/status.ts';
import { type EnvironmentStatus, environmentStatus } from '../views/environment-status.ts';
import { dayOf, type History, type ServiceHistory } from './history.ts';
import type { LastDeploys } from './last-deploys.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Over how many minutes something is judged: the one that is under way, and those before it. */
const RECENT_MINUTES = 5;

/** What the releases that nobody has changed are judged by when there is none. */
const USUAL_P95_MS = 1_000;

export interface ServiceOverview {
  row: OverviewRow;
  judged: Judged;
  history: ServiceHistory;
  consumers: Consumer[];
}

interface Tools {
  deps: ApiDeps;
  history: History;
  deploys: LastDeploys;
}

export const recentBegin = (now: number): number => Math.floor(now / MINUTE) * MINUTE - (RECENT_MINUTES - 1) * MINUTE;

export interface EnvironmentOverview {
  /** The edge answered. */
  edge: boolean;
  services: ServiceOverview[];
  concerns: Concern[];
  rollouts: UnderWay[];
}

/** One environment with all of its services. */
export async function environmentOverview(
  { deps, history, deploys }: Tools,
  record: EnvironmentRecord,
  now: number,
): Promise<EnvironmentOverview> {
  const seen = await environmentStatus(deps, record);
  const last = await deploys.of(record, seen.deployments, deps.engine.reads);
  const limitsOf = await limits(deps, record, seen);
  const services: ServiceOverview[] = [];
  for (const status of seen.status.services) {
    const past = await history.of(`${record.project}/${record.environment}/${status.service}`, now);
    const consumers = consumersOf(record, status, limitsOf);
    services.push(
      serviceOverview({ record, seen, status, past, consumers, now, lastDeploy: last.get(status.service) ?? null }),
    );
  }
  return {
    edge: seen.edge,
    services,
    concerns: concernsOf(seen.status),
    rollouts: seen.status.rollouts.map(underWay),
  };
}

const underWay = (rollout: RolloutView): UnderWay => {
  const { id, project, environment, phase, paused, requestedBy, createdAt, nextAt, canary, services } = rollout;
  const releases = services.map(({ to }) => to);
  return { id, project, environment, phase, paused, requestedBy, createdAt, nextAt, weight: canary.weight, releases };
};

function serviceOverview(input: {
  record: EnvironmentRecord;
  seen: EnvironmentStatus;
  status: ServiceStatus;
  past: ServiceHistory;
  consumers: Consumer[];
  lastDeploy: OverviewRow['lastDeploy'];
  now: number;
}): ServiceOverview {
  const { record, seen, status, past, consumers, lastDeploy, now } = input;
  const { service } = status;
  const release = seen.releases.get(status.release ?? '') ?? null;
  const written = record.config.environment.objectives?.find((each) => each.service === service);
  const accepted = release === null ? USUAL_P95_MS : release.config.rollout.analysis.p95Ms;
  const objectives = objectivesOf(written, accepted);
  const begin = recentBegin(now);
  const recent = figuresOf(totalsOf([...past.minutes].filter(([at]) => at >= begin).map(([, minute]) => minute)));
  const { share, requests, p95 } = dayOf(past, now);
  const judged = judge(
    {
      service,
      health: status.health,
      detail: status.detail,
      requests: recent.requests,
      bad: recent.bad,
      errorRate: recent.errorRate,
      p95Ms: recent.p95Ms,
      memory: consumers.flatMap(({ memory, memoryLimit }) =>
        memory === null || memoryLimit === null ? [] : [{ used: memory, limit: memoryLimit }],
      ),
      availability: share,
      availabilityMs: DAY,
    },
    objectives,
  );
  const rollout = seen.status.rollouts.find((each) => each.services.some((part) => part.service === service));
  const watched = [...past.watched].some((at) => at >= begin);
  return {
    judged,
    history: past,
    consumers,
    row: {
      project: record.project,
      environment: record.environment,
      service,
      kind: status.kind,
      role: roleOf(status.kind, status.schedule !== undefined, written?.role),
      state: judged.state,
      aspects: judged.aspects,
      health: status.health,
      detail: status.detail,
      release: status.release,
      label: status.label,
      lastDeploy,
      rollout:
        rollout === undefined ? null : { id: rollout.id, phase: rollout.phase, paused: rollout.paused?.reason ?? null },
      recent: {
        requestsPerSecond: watched ? Number(((recent.requests * 1000) / (now - begin + 1)).toPrecision(4)) : null,
        errorRate: recent.errorRate,
        averageMs: recent.averageMs,
        p95Ms: recent.p95Ms,
      },
      availability: { share, requests },
      p95: { points: p95 },
      objectives,
    },
  };
}

/** By release: that of a canary may have other limits than what serves. */
async function limits(
  deps: ApiDeps,
  record: EnvironmentRecord,
  { status, releases }: EnvironmentStatus,
): Promise<(release: string) => Resources | null> {
  const known = new Map([...releases].map(([id, { config }]) => [id, config.resources]));
  for (const { instances } of status.services) {
    for (const { release } of instances) {
      if (known.has(release)) continue;
      const found = await deps.engine.reads.release(record.project, release);
      known.set(release, found?.config.resources ?? { memory: null, cpu: null });
    }
  }
  return (release) => known.get(release) ?? null;
}

const consumersOf = (
  { project, environment }: EnvironmentRecord,
  { service, instances }: ServiceStatus,
  limitsOf: (release: string) => Resources | null,
): Consumer[] =>
  instances.map(({ id, release, cpu, memory }) => ({
    project,
    environment,
    service,
    instance: id,
    release,
    cpu: cpu === null ? null : Number(cpu.toPrecision(3)),
    memory,
    cpuLimit: limitsOf(release)?.cpu ?? null,
    memoryLimit: limitsOf(release)?.memory ?? null,
  }));
