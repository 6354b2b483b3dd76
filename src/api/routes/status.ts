import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deployment, Release } from '../../domain/release/release.ts';
import { sizesOf } from '../../engine/scaling.ts';
import { closedServices } from '../../engine/operations/maintenance.ts';
import { takeSnapshot, type Snapshot } from '../../engine/snapshot.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { StatusReply } from '../contract/contract.ts';
import { scheduleStatus } from '../views/run-view.ts';
import { serviceStatus } from '../views/status-view.ts';
import { tlsStatus } from '../views/tls-view.ts';
import { view } from '../views/current-rollout.ts';

const MINUTE_MS = 60_000;

const querySchema = z.object({ project: z.string().optional(), environment: z.string().optional() });

export function statusRoutes(api: FastifyInstance, deps: ApiDeps): void {
  api.get('/v1/status', async (request): Promise<StatusReply> => {
    const wanted = querySchema.parse(request.query);
    const { reads } = deps.engine;
    const records = (await reads.environments()).filter(
      (each) =>
        (wanted.project === undefined || each.project === wanted.project) &&
        (wanted.environment === undefined || each.environment === wanted.environment),
    );
    const environments = await Promise.all(records.map((record) => environmentStatus(deps, record)));
    const { version, pid, startedAt } = deps.server;
    const since = reads.awaySince();
    return {
      server: {
        version,
        pid,
        startedAt,
        edge: environments.every((each) => each.edge),
        standing: await deps.standing(),
        ...(since === null ? {} : { storeAwaySince: since }),
        ...(reads.unwritten() === 0 ? {} : { unwritten: reads.unwritten() }),
      },
      environments: environments.map((each) => each.status),
    };
  });
}

async function environmentStatus(
  deps: ApiDeps,
  record: EnvironmentRecord,
): Promise<{ edge: boolean; status: StatusReply['environments'][number] }> {
  const store = deps.engine.reads;
  const scope = { project: record.project, environment: record.environment };
  const [deployments, snapshot, open, scales] = await Promise.all([
    store.deployments(scope.project, scope.environment),
    takeSnapshot(deps.engine.deps, scope, { stats: false }),
    store.rollouts({ ...scope, unsettled: true }),
    store.scales(scope.project, scope.environment),
  ]);
  const releases = new Map<string, Release>();
  await Promise.all(
    deployments.map(async ({ current }) => {
      const release = current === null ? null : await store.release(scope.project, current);
      if (release !== null) releases.set(release.id, release);
    }),
  );
  const releaseFor = ({ current }: Deployment): Release | null =>
    current === null ? null : (releases.get(current) ?? null);
  const services = await Promise.all(
    deployments
      .filter((each) => isThere(each, record, snapshot))
      .map(async (deployment) => {
        const key = `${scope.project}/${scope.environment}/${deployment.service}`;
        return serviceStatus({
          project: record.project,
          environment: record.config.environment,
          wanted: record.wanted,
          deployment,
          release: (id) => releases.get(id) ?? null,
          unstartable: (id) => deps.engine.unstartable(scope, id),
          snapshot,
          size: sizesOf(scales),
          schedule: await scheduleStatus({ ...deps.engine.deps, store }, scope, releaseFor(deployment), record.wanted),
          ...(await lastMinute(deps, key, snapshot)),
        });
      }),
  );
  const rollouts = await Promise.all(open.filter((each) => each.end === null).map((each) => view(deps, each, false)));
  const closed = closedServices(record);
  const tls = tlsStatus({
    project: record.project,
    environment: record.config.environment,
    snapshot,
    askedAt: record.updatedAt,
    kept: deps.engine.certificates(scope),
  });
  return {
    edge: snapshot.edge !== null,
    status: {
      ...scope,
      wanted: record.wanted,
      root: record.config.root,
      ...(closed.services.length === 0 ? {} : { closed }),
      ...(tls === undefined || record.wanted === 'down' ? {} : { tls }),
      services,
      rollouts,
    },
  };
}

/** What the file does not have any more is shown for as long as something of it serves or runs. */
const isThere = ({ service, current }: Deployment, { config }: EnvironmentRecord, snapshot: Snapshot): boolean =>
  current !== null ||
  config.services.some((each) => each.name === service) ||
  snapshot.instances.some((each) => each.service === service && each.state !== 'ended');

async function lastMinute(deps: ApiDeps, key: string, snapshot: Snapshot) {
  const window = { key, from: snapshot.at - MINUTE_MS, to: snapshot.at, resolution: '10s' as const };
  const [edgeSamples, instanceSamples] = await Promise.all([
    deps.telemetry.edge(window),
    deps.telemetry.instances(window),
  ]);
  return { edgeSamples, instanceSamples };
}
