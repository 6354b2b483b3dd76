/** A page of what was asked for with one more than its limit: that one says whether there is another page. */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  cursor: (last: T) => string,
): {
  page: readonly T[];
  next: string | null;
} {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { page, next: found.length > limit && last !== undefined ? cursor(last) : null };
}
