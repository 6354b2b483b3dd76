import { envOption } from '../../lib/env-option.ts';
import type { Release } from '../../domain/release/release.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';

/** Which release a rollback means. */

/**
 * The release that `to` names, or the former one; its files are there. Null only when it is `optional` and there is none.
 * Throws EvenkeelError `release-unknown`, `release-ambiguous` or `release-gone`.
 */
export async function targetRelease(
  engine: Engine,
  input: { project: string; environment: string; to: string | null; optional: boolean },
  { service, current, recent }: Omit<Known, 'releases'>,
): Promise<Release | null> {
  const { deps } = engine;
  const releases = await deps.store.releases({
    project: input.project,
    environment: input.environment,
    service,
    limit: 200,
  });
  const known = { releases, recent, service, current };
  const release = input.to === null ? formerRelease(known) : namedRelease(known, input.to, input.environment);
  if (release === null && input.to === null && input.optional) return null;
  if (release === null)
    throw new EvenkeelError({
      code: 'release-unknown',
      what:
        input.to === null
          ? `${service} has no former release to go back to`
          : `there is no release ${input.to} of ${service} here`,
      next: `evenkeel releases ${service}${envOption(input.environment)}`,
    });
  if (release.artifact === null || !(await deps.builder.has(release.artifact)))
    throw new EvenkeelError({
      code: 'release-gone',
      what: `the files of ${release.id} are not kept any more`,
      why: 'only the last few releases are kept (rollout.keepReleases)',
      next: `check that commit out and deploy it: git checkout ${release.source.commit ?? '<commit>'} && evenkeel deploy ${service}`,
    });
  return release;
}

interface Known {
  /** Of the service, as the rollouts, newest first. */
  releases: Release[];
  recent: Rollout[];
  service: string;
  current: string | null;
}

/** What served before. A restart brought the same once more, so what was before it is meant. */
function formerRelease({ releases, recent, service, current }: Known): Release | null {
  const find = (id: string | null): Release | null => releases.find((each) => each.id === id) ?? null;
  const complete = recent.filter(isOverWindow).flatMap((each) => each.services);
  const before = (id: string): Release | null =>
    find(complete.find((each) => each.service === service && each.to === id)?.from ?? null);
  const serving = find(current);
  if (serving === null) return null;
  let release = before(serving.id);
  // Two that were rolled back to in turn lead back to each other.
  for (const seen = new Set<string>(); release !== null && isSame(release, serving); release = before(release.id)) {
    if (seen.has(release.id)) return null;
    seen.add(release.id);
  }
  return release;
}

/** Its releases have served, and are not to be taken back any more. */
export const isOverWindow = (rollout: Rollout): boolean =>
  rollout.end === 'complete' || (rollout.end === null && rollout.phase === 'contracting');

const isSame = (one: Release, other: Release): boolean =>
  one.artifact === other.artifact && one.configDigest === other.configDigest;

export const isCalled = (release: Release, name: string): boolean =>
  release.id === name || release.source.label === name;

/** By its id, or by a label, of which several may have the same: then the one that has served. */
function namedRelease(
  { releases, recent, service, current }: Known,
  name: string,
  environment: string,
): Release | null {
  const byId = releases.find((each) => each.id === name);
  if (byId !== undefined) return byId;
  const labelled = releases.filter((each) => isCalled(each, name));
  const others = labelled.filter((each) => each.id !== current);
  const complete = recent.filter(isOverWindow).flatMap((each) => each.services);
  const served = others.filter(({ id }) => complete.some((each) => each.to === id || each.from === id));
  const meant = served.length > 0 ? served : others;
  const [first, second] = meant;
  if (second === undefined) return first ?? labelled[0] ?? null;
  throw new EvenkeelError({
    code: 'release-ambiguous',
    what: `${meant.map((each) => each.id).join(', ')} of ${service} are all called ${name}`,
    next: `name the release itself, such as --to ${first?.id}; evenkeel releases ${service}${envOption(environment)}`,
  });
}
