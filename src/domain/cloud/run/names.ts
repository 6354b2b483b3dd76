import { hash53 } from '../../../lib/hash.ts';

const HASH_LENGTH = 6;
const LONGEST_REVISION = 63;
const LONGEST_JOB = 49;

/**
 * The name of the revision that is an instance: the same after any crash, and another one as soon as anything of it is
 * another. `of` is all that it is made from.
 */
export function revisionName(name: string, release: string, of: string): string {
  const end = `-r${numberOf(release)}-${shortHash(of)}`;
  return `${name.slice(0, LONGEST_REVISION - end.length).replace(/-+$/, '')}${end}`;
}

/** Hosts have room for so many characters of tag and service together. */
const LONGEST_TAGGED = 46;

/**
 * By which an instance of `name` can be asked whatever its weight. Where that leaves no room for the number of the release
 * it is shorter, and told apart only from those of releases and generations around it: no others are hot beside it.
 */
export function tagName(name: string, release: string, generation: number): string {
  const plain = generation === 0 ? `r${numberOf(release)}` : `r${numberOf(release)}-${generation}`;
  const room = LONGEST_TAGGED - name.length;
  if (plain.length <= room) return plain;
  const digits = Math.max(1, room - 1);
  return `r${((Number(numberOf(release)) * 36 + (generation % 36)) % 36 ** digits).toString(36).padStart(digits, '0')}`;
}

/** The number of the release that a revision is of; null for one that evenkeel did not make. */
export const releaseNumberIn = (revision: string): string | null => /-r(\d+)-[a-z0-9]{6}$/.exec(revision)?.[1] ?? null;

/** The name of the job that is a piece of work: `r17f3.migrate.api` and its like may have any length. */
export const jobName = (scope: { project: string; environment: string }, id: string): string => {
  const plain = id.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const end = `-${shortHash(`${scope.project}/${scope.environment}/${id}`)}`;
  return `${`job-${plain.replace(/^-+/, '')}`.slice(0, LONGEST_JOB - end.length).replace(/-+$/, '')}${end}`;
};

/** `api@42` -> `42`. */
const numberOf = (release: string): string => release.slice(release.lastIndexOf('@') + 1);

const shortHash = (text: string): string => hash53(text).toString(36).padStart(HASH_LENGTH, '0').slice(-HASH_LENGTH);
