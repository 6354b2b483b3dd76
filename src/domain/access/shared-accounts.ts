/** What a service runs as: a text that is the same for the same account of the operating system. */
export interface RunsAs {
  readonly service: string;
  readonly account: string;
}

/** Evenkeel's own account: whoever runs as it reads all that evenkeel has, of everybody. */
export const OWN_ACCOUNT = 'evenkeel';

/** Why services of two organizations are not apart. */
export type Sharing =
  /** One that is to run would be evenkeel itself. */
  | { readonly kind: 'own'; readonly service: string }
  /** It would be the same account as one of another organization. */
  | { readonly kind: 'shared'; readonly service: string; readonly account: string }
  /** One of another organization is evenkeel itself, and would reach whatever comes. */
  | { readonly kind: 'theirs'; readonly service: string };

/**
 * Whether services of one organization can run beside those of all others; null: they can. Processes of one account can
 * read each other's memory, files and environment, whatever is kept apart elsewhere. Null as `others`:
 * nobody else has anything here, and then nothing is in the way.
 */
export function sharing(mine: readonly RunsAs[], others: readonly RunsAs[] | null): Sharing | null {
  if (others === null) return null;
  const own = mine.find(({ account }) => account === OWN_ACCOUNT);
  if (own !== undefined) return { kind: 'own', service: own.service };
  const taken = new Set(others.map(({ account }) => account));
  const shared = mine.find(({ account }) => taken.has(account));
  if (shared !== undefined) return { kind: 'shared', ...shared };
  const theirs = others.find(({ account }) => account === OWN_ACCOUNT);
  return theirs === undefined ? null : { kind: 'theirs', service: theirs.service };
}
