import type { EdgeService } from '../../traffic/protocol.ts';
import { BY_LATEST, BY_REVISION, lastPart, type RunService, type TrafficTarget } from './api.ts';
import type { InstanceRecord, ServiceRecord, SplitRecord } from './record.ts';
import { NO_SPLITS } from './record.ts';

/** Percent that each revision has, as Cloud Run says that it is so. */
export function observedShares(service: RunService): Map<string, number> {
  const shares = new Map<string, number>();
  // Statuses come with the first traffic; until then what was asked for is all there is.
  const targets = service.trafficStatuses?.length ? service.trafficStatuses : (service.traffic ?? []);
  for (const target of targets) {
    const revision = revisionOf(target, service);
    if (revision === '' || (target.percent ?? 0) === 0) continue;
    shares.set(revision, (shares.get(revision) ?? 0) + (target.percent ?? 0));
  }
  return shares;
}

/** What a service asks for, without "the latest": what is latest changes with the next deploy. */
export function explicitTargets(service: RunService): TrafficTarget[] {
  return (service.traffic ?? []).flatMap((target): TrafficTarget[] => {
    const revision = revisionOf(target, service);
    if (revision === '') return [];
    const { percent, tag } = target;
    return [
      {
        type: BY_REVISION,
        revision,
        ...(percent === undefined || percent === 0 ? {} : { percent }),
        ...(tag === undefined || tag === '' ? {} : { tag }),
      },
    ];
  });
}

const revisionOf = (target: TrafficTarget, service: RunService): string =>
  target.revision === undefined || target.revision === '' || target.type === BY_LATEST
    ? lastPart(service.latestReadyRevision)
    : lastPart(target.revision);

/** The targets with these shares (percent, whole) and the same tags. */
export function withShares(service: RunService, shares: ReadonlyMap<string, number>): TrafficTarget[] {
  const tags = explicitTargets(service).flatMap(({ revision = '', tag }) =>
    tag === undefined ? [] : [{ revision, tag }],
  );
  return mergeTargets([
    ...[...shares].map(([revision, percent]) => ({ type: BY_REVISION, revision, percent })),
    ...tags.map((each) => ({ type: BY_REVISION, ...each })),
  ]);
}

/** One target for each revision that needs no more; a second one only for a second tag. */
export function mergeTargets(targets: readonly TrafficTarget[]): TrafficTarget[] {
  const merged: TrafficTarget[] = [];
  for (const target of targets) {
    const known = merged.find(
      (each) =>
        each.revision === target.revision &&
        (each.tag === undefined || target.tag === undefined || each.tag === target.tag),
    );
    if (known === undefined) merged.push({ ...target });
    else {
      const percent = (known.percent ?? 0) + (target.percent ?? 0);
      const tag = known.tag ?? target.tag;
      if (percent > 0) known.percent = percent;
      if (tag !== undefined) known.tag = tag;
    }
  }
  return merged.toSorted((a, b) => ((a.revision ?? '') < (b.revision ?? '') ? -1 : 1));
}

/**
 * The targets with one more revision, which gets an address of its own. Cloud Run follows no target while one of them
 * names a revision that cannot serve: `broken` ones lose their addresses. Where nobody is served yet and what comes in
 * goes to one that is broken, stopped or forgotten, it is sent to the new one: a first release that never started would
 * hold up all that come after it. The service is closed then, so nobody gets in by that.
 */
export function withNewRevision(
  service: RunService,
  { table, instances }: Pick<ServiceRecord, 'table' | 'instances'>,
  { revision, tag, broken }: { revision: string; tag: string; broken: ReadonlySet<string> },
): TrafficTarget[] {
  const targets = explicitTargets(service);
  const serves = table?.releases.some(({ weight }) => weight > 0) === true;
  const isOver = (name = ''): boolean =>
    broken.has(name) || instances[name] === undefined || instances[name].stopped !== undefined;
  const moves = !serves && targets.some((each) => each.percent !== undefined && isOver(each.revision));
  const kept = targets.flatMap(({ tag: former, percent, ...target }) => {
    const named = former !== undefined && !broken.has(target.revision ?? '') ? { tag: former } : {};
    const shared = !moves && percent !== undefined ? { percent } : {};
    return 'tag' in named || 'percent' in shared ? [{ ...target, ...named, ...shared }] : [];
  });
  return mergeTargets([...kept, { type: BY_REVISION, revision, tag, ...(moves ? { percent: 100 } : {}) }]);
}

/**
 * The shares that a table asks for, by revision, in whole percent that sum to 100; null when there is nothing that
 * could have them yet, or nothing is to have any. Of several instances of a release the newest has its share.
 */
export function wantedShares(table: EdgeService, record: ServiceRecord): Map<string, number> | null {
  const placed = table.releases
    .filter(({ weight }) => weight > 0)
    .map(({ release, weight, instances }) => {
      const ids = new Set(instances.filter(({ draining }) => !draining).map(({ id }) => id));
      const [revision] = Object.entries(record.instances)
        .filter(([, each]) => each.release === release && ids.has(each.id) && each.stopped === undefined)
        .toSorted(([, a], [, b]) => b.generation - a.generation)
        .map(([name]) => name);
      return { revision, weight };
    });
  if (placed.length === 0 || placed.some(({ revision }) => revision === undefined)) return null;
  const shares = new Map<string, number>();
  let left = 100;
  // The largest has what rounding leaves, so that a holdback of half a percent is not nothing.
  const ascending = placed.toSorted((a, b) => a.weight - b.weight);
  for (const [at, { revision = '', weight }] of ascending.entries()) {
    const share = at === ascending.length - 1 ? left : Math.max(1, Math.round(weight));
    shares.set(revision, share);
    left -= share;
  }
  return shares;
}

/** Whether everybody may ask: once a release that is public has a share of the traffic. */
export const isOpen = (table: EdgeService, record: ServiceRecord): boolean =>
  table.releases.some(
    ({ release, weight }) =>
      weight > 0 && Object.values(record.instances).some((each) => each.release === release && each.public),
  );

/**
 * The table with what is so instead of what was asked for: shares as Cloud Run has them, a hand in the console
 * included, and only instances that are there.
 */
export function observedTable(service: RunService, record: ServiceRecord, table: EdgeService): EdgeService {
  // Nothing is to have traffic: it is closed to all, so where Cloud Run would send what comes in does not matter.
  if (table.releases.every(({ weight }) => weight === 0)) return table;
  const shares = observedShares(service);
  const of = (release: string): number =>
    Object.entries(record.instances).reduce(
      (sum, [revision, each]) => sum + (each.release === release ? (shares.get(revision) ?? 0) : 0),
      0,
    );
  const wanted = wantedShares(table, record);
  const same = wanted !== null && sameShares(wanted, shares);
  return {
    ...table,
    // Whole percents stand for what they were rounded from.
    releases: table.releases.map((each) => ({ ...each, weight: same ? each.weight : of(each.release) })),
  };
}

export const sameShares = (one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): boolean =>
  one.size === other.size && [...one].every(([revision, share]) => other.get(revision) === share);

/** The history of the split, with what it is from `at` on. Empty outside a rollout. */
export function nextSplits(before: SplitRecord, table: EdgeService, at: number): SplitRecord {
  if (table.split === null) return NO_SPLITS;
  const { rollout, canary } = table.split;
  const weight = table.releases.find(({ release }) => release === canary)?.weight ?? 0;
  const known = before.rollout === rollout ? before.since : [];
  return known.at(-1)?.weight === weight ? before : { rollout, since: [...known, { at, weight }].slice(-MOST_SPLITS) };
}

/** A rollout has a few steps; a hand that plays with them may not grow the service without end. */
const MOST_SPLITS = 50;

/** A hand in the console moved the traffic: from then on nobody knows what its requests were sent by. */
export const disturbed = (before: SplitRecord, times: { from: number; until: number }): SplitRecord =>
  before.since.length === 0
    ? before
    : {
        ...before,
        since: [...before.since, { at: times.from, weight: -1 }, { at: times.until, weight: -1 }].slice(-MOST_SPLITS),
      };

/** Where an instance answers whatever its weight; null: nobody knows yet. */
export function addressOf(service: RunService, instance: Pick<InstanceRecord, 'tag'>): string | null {
  return (service.trafficStatuses ?? []).find(({ tag }) => tag === instance.tag)?.uri ?? null;
}

/** What evenkeel's own edge does for routes and Cloud Run does not; null: nothing of that is asked for. */
export function whyUnable(table: EdgeService): string | null {
  if (table.routes.some(({ policy }) => policy !== undefined))
    return 'lists of addresses, passwords, forward authentication and rates are nothing that Cloud Run has';
  return table.maintenance === undefined
    ? null
    : 'Cloud Run has no maintenance page: bring the environment down instead';
}

/** What was asked for, not what is so. */
export const askedShares = (service: RunService): Map<string, number> =>
  observedShares({ ...service, trafficStatuses: [] });
