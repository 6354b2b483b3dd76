import type { Deployment, Release } from '../../domain/release/release.ts';
import { closedServices } from '../../engine/operations/maintenance.ts';
import { sizesOf } from '../../engine/scaling.ts';
import { takeSnapshot, type Snapshot } from '../../engine/snapshot.ts';
import { isAway } from '../../domain/project/is-away.ts';
import { described } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { StatusReply } from '../contract/status.ts';
import { view } from './current-rollout.ts';
import { scheduleStatus } from './run-view.ts';
import { serviceStatus } from './status-view.ts';
import { tlsStatus } from './tls-view.ts';

const MINUTE_MS = 60_000;

/** One environment as it is observed now. */
export interface EnvironmentStatus {
  /** The edge answered. */
  edge: boolean;
  status: StatusReply['environments'][number];
  /** Those that serve, by id. */
  releases: ReadonlyMap<string, Release>;
  deployments: Deployment[];
}

export async function environmentStatus(deps: ApiDeps, record: EnvironmentRecord): Promise<EnvironmentStatus> {
  const store = deps.engine.reads;
  const scope = { project: record.project, environment: record.environment };
  const [deployments, { snapshot, blind }, open, scales] = await Promise.all([
    store.deployments(scope.project, scope.environment),
    snapshotOf(deps, record),
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
    // What has none does not miss it.
    edge: snapshot.edge !== null || isAway(record.config),
    releases,
    deployments,
    status: {
      ...scope,
      wanted: record.wanted,
      root: record.config.root,
      ...(blind === null ? {} : { blind }),
      ...(closed.services.length === 0 ? {} : { closed }),
      ...(tls === undefined || record.wanted === 'down' ? {} : { tls }),
      services,
      rollouts,
    },
  };
}

/**
 * What runs in the cloud is only seen while that answers. While it does not, what was seen last is all there is, and that is
 * said; the other environments are seen all the same.
 */
async function snapshotOf(
  deps: ApiDeps,
  { project, environment, config }: EnvironmentRecord,
): Promise<{ snapshot: Snapshot; blind: { why: string; seenAt: number | null } | null }> {
  const scope = { project, environment };
  const look = takeSnapshot(deps.engine.deps, scope, { stats: false });
  if (!isAway(config)) return { snapshot: await look, blind: null };
  const { clock } = deps.engine.deps;
  const over = new AbortController();
  const late = clock.sleep(PATIENCE_MS, over.signal).then(() => null);
  try {
    const snapshot = await Promise.race([look, late]);
    if (snapshot === null) throw new Error(`it has not answered within ${PATIENCE_MS / 1_000} s`);
    return { snapshot, blind: null };
  } catch (error) {
    const at = clock.now();
    const seen = deps.engine.seen(scope)?.snapshot ?? null;
    const snapshot = { at, instances: seen?.instances ?? [], edge: null, stats: null };
    return { snapshot, blind: { why: described(error), seenAt: seen?.at ?? null } };
  } finally {
    over.abort();
    look.catch(() => undefined);
  }
}

/** Longer than a cloud takes that is well; whoever asks how things are is told in any case. */
const PATIENCE_MS = 2_500;

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
