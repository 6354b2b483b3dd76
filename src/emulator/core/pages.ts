import { invalid } from './google-error.ts';

/**
 * One page of a list. A token names the key after which the next page starts, so that what is added or goes meanwhile
 * shifts nothing.
 */
export function page<T>(
  all: readonly T[],
  keyOf: (entry: T) => string,
  query: { size: string | undefined; token: string | undefined },
  { most = 1000, usual = 100 }: { most?: number; usual?: number } = {},
): { entries: T[]; nextPageToken: string | undefined } {
  const wanted = Number(query.size ?? 0);
  if (wanted < 0) throw invalid('Page size must not be negative.');
  const size = Math.min(wanted === 0 ? usual : wanted, most);
  const after = query.token === undefined || query.token === '' ? null : decode(query.token);
  const sorted = all.toSorted((a, b) => compare(keyOf(a), keyOf(b)));
  const rest = after === null ? sorted : sorted.filter((entry) => compare(keyOf(entry), after) > 0);
  const entries = rest.slice(0, size);
  const last = entries.at(-1);
  const more = rest.length > size && last !== undefined;
  return { entries, nextPageToken: more ? encode(keyOf(last)) : undefined };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const MARK = 'after:';

const encode = (key: string): string => Buffer.from(`${MARK}${key}`).toString('base64url');

function decode(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith(MARK)) throw invalid('The page token is not valid.');
  return text.slice(MARK.length);
}
