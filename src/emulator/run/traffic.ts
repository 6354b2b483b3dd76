import { invalid } from '../core/google-error.ts';
import { tagHost } from './names.ts';
import { BY_REVISION, LATEST, type TrafficStatus, type TrafficTarget } from './shapes.ts';

const TAG = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Hosts have room for so many characters of tag and service together. */
const MOST_OF_BOTH = 46;

/**
 * Checks what traffic is asked for and puts it in order: without any, all goes to the latest. Throws 400 as Cloud Run
 * does. `known` says whether the service has (or is just getting) a revision.
 */
export function checkTraffic(
  traffic: readonly TrafficTarget[] | undefined,
  service: string,
  known: (revision: string) => boolean,
): TrafficTarget[] {
  if (traffic === undefined || traffic.length === 0) return [{ type: LATEST, percent: 100 }];
  const tags = new Set<string>();
  for (const { type, revision, percent = 0, tag } of traffic) {
    if (percent < 0 || percent > 100) throw bad(`Traffic percent must be between 0 and 100, got ${percent}.`);
    const latest = type === LATEST || (type === undefined && revision === undefined);
    if (latest && revision !== undefined)
      throw bad('Traffic target must not name a revision when it is allocated to the latest ready revision.');
    if (!latest && (revision === undefined || revision === ''))
      throw bad('Traffic target must name a revision when it is allocated to a specific revision.');
    if (revision !== undefined && !known(revision)) throw bad(`Revision named '${revision}' does not exist.`);
    if (tag === undefined || tag === '') continue;
    if (!TAG.test(tag) || tag.length + service.length > MOST_OF_BOTH)
      throw bad(
        `Traffic tag '${tag}' must use only lowercase alphanumeric characters or '-', begin with a letter, not end with '-', and have at most ${MOST_OF_BOTH} characters together with the service name.`,
      );
    if (tags.has(tag)) throw bad(`Traffic tag '${tag}' is used more than once; tags must be unique.`);
    tags.add(tag);
  }
  const sum = traffic.reduce((total, { percent = 0 }) => total + percent, 0);
  if (sum !== 100) throw bad(`Traffic targets must sum to 100 percent, got ${sum}.`);
  return traffic.map(({ type, revision, percent, tag }) => ({
    type: type === LATEST || revision === undefined ? LATEST : BY_REVISION,
    ...(revision === undefined ? {} : { revision }),
    ...(percent === undefined || percent === 0 ? {} : { percent }),
    ...(tag === undefined || tag === '' ? {} : { tag }),
  }));
}

const bad = (message: string) => invalid(`spec.traffic: ${message}`, [{ field: 'traffic', description: message }]);

/** Traffic as it flows: `latest` is the newest that is ready. Targets whose revision cannot serve yet are left out. */
export function trafficStatuses(
  traffic: readonly TrafficTarget[],
  latestReady: string | null,
  host: string,
): TrafficStatus[] {
  return traffic.flatMap((target) => {
    const revision = target.type === LATEST ? latestReady : (target.revision ?? null);
    if (revision === null) return [];
    const uri = target.tag === undefined ? {} : { uri: `https://${tagHost(target.tag, host)}` };
    return [{ ...target, revision, ...uri }];
  });
}

/** The revision of a request: by tag, else by chance (0 to 1) according to the percentages. */
export function chooseRevision(statuses: readonly TrafficStatus[], tag: string | null, chance: number): string | null {
  if (tag !== null) return statuses.find((status) => status.tag === tag)?.revision ?? null;
  let rest = chance * 100;
  for (const { percent = 0, revision } of statuses) {
    if (percent > 0 && rest < percent) return revision ?? null;
    rest -= percent;
  }
  return statuses.findLast(({ percent = 0 }) => percent > 0)?.revision ?? null;
}

/** Share of requests, 0 to 100, by revision; those reached by tag alone have 0. */
export function sharesOf(statuses: readonly TrafficStatus[]): Map<string, number> {
  const shares = new Map<string, number>();
  for (const { revision, percent = 0 } of statuses)
    if (revision !== undefined) shares.set(revision, (shares.get(revision) ?? 0) + percent);
  return shares;
}
