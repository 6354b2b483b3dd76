import type { Release } from '../domain/release/release.ts';
import type { Snapshot } from './snapshot.ts';

/** The release that the id of an instance names. */
export const releaseOf = (id: string, scope: { project: string; environment: string }): string =>
  id.slice(scope.project.length + scope.environment.length + 2).replace(/\.\d+\.\d+$/, '');

/** `api@42` -> `api`. */
const serviceOf = (release: string): string => release.slice(0, release.lastIndexOf('@'));

/**
 * Whether another release of its service is there, or is about to be, and one of the two cannot run beside the other. A
 * slow start that nobody wants any more counts until it is over: then it is seen, and stopped.
 */
export function runsBeside(
  release: Release,
  seen: {
    project: string;
    environment: string;
    snapshot: Snapshot;
    /** Ids of instances whose start is under way. */
    starting: Iterable<string>;
    release: (id: string) => Release | null;
  },
): boolean {
  const cannot = (id: string): boolean => seen.release(id)?.config.overlap === false;
  const present = seen.snapshot.instances
    .filter((each) => each.service === release.service && each.state !== 'ended')
    .map((each) => each.release);
  const starting = [...seen.starting]
    .map((id) => releaseOf(id, seen))
    .filter((id) => serviceOf(id) === release.service);
  return [...present, ...starting].some((other) => other !== release.id && (cannot(other) || cannot(release.id)));
}
