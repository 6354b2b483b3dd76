import type { Scope } from '../../domain/project/scope.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import type { Seen } from '../../engine/memory.ts';
import type { Notice } from './ring.ts';

/** What is compared between two looks at an environment; made once for each look, whoever listens. */
export interface Look {
  status: string;
  /** By the id of a rollout: where it stands, without its evidence. */
  rollouts: ReadonlyMap<string, { mark: string; rollout: Rollout }>;
  /** What serves, by service. */
  serving: ReadonlyMap<string, string | null>;
}

export function lookOf({ record, snapshot, deployments, rollouts, scales, runs }: Seen, refusal: string | null): Look {
  const { project, environment } = record;
  const mine = (snapshot.edge?.services ?? []).filter(
    ({ config }) => config.project === project && config.environment === environment,
  );
  const healthy = new Set(
    mine.flatMap(({ instances }) => instances.filter((each) => each.healthy).map(({ id }) => id)),
  );
  return {
    status: JSON.stringify([
      record.wanted,
      record.updatedAt,
      refusal,
      snapshot.edge === null,
      snapshot.instances.map(({ id, state }) => `${id} ${state} ${healthy.has(id)}`).toSorted(),
      mine.map(({ key, config }) => [key, config.releases.map(({ release, weight }) => `${release} ${weight}`)]),
      scales.map(({ service, instances }) => `${service} ${instances}`),
      runs.map(({ service, dueAt }) => `${service} ${dueAt}`),
    ]),
    rollouts: new Map(rollouts.map((rollout) => [rollout.id, { mark: markOf(rollout), rollout }])),
    serving: new Map(deployments.map(({ service, current }) => [service, current])),
  };
}

/** Where a rollout stands, as far as a list or a line about it shows it. */
const markOf = ({ phase, end, settled, paused, step, approvals, analysis }: Rollout): string =>
  JSON.stringify([
    phase,
    end,
    settled,
    paused?.reason ?? null,
    step,
    approvals.length,
    Object.entries(analysis).map(([service, { verdict }]) => [service, verdict?.verdict ?? null]),
  ]);

/** What to tell of an environment after a look. Before the first one nobody knows how it was. */
export function differences(scope: Scope, before: Look | null, now: Look): Notice[] {
  const { project, environment } = scope;
  const notice = (event: Notice['event']): Notice => ({ event, permission: 'environment:read', scope });
  const notices: Notice[] = [];
  for (const [id, { mark, rollout }] of now.rollouts) {
    if (before?.rollouts.get(id)?.mark === mark) continue;
    const { phase, end, settled, paused } = rollout;
    const event = { type: 'rollout', project, environment, rollout: id, phase, end, settled } as const;
    notices.push(notice({ ...event, paused: paused?.reason ?? null }));
  }
  if (before === null) return [notice({ type: 'status', project, environment }), ...notices];
  const services = new Set([...before.serving.keys(), ...now.serving.keys()]);
  for (const service of services) {
    const release = now.serving.get(service) ?? null;
    if ((before.serving.get(service) ?? null) !== release)
      notices.push(notice({ type: 'release', project, environment, service, release }));
  }
  if (before.status !== now.status) notices.push(notice({ type: 'status', project, environment }));
  return notices;
}
