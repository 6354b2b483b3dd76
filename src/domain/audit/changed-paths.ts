/** How deep is looked, and how many are named. */
const DEPTH = 5;
const MOST = 100;

/**
 * Where two values of JSON differ, such as `services.api.run`, and never what they hold there: that may be secret. Things
 * that have a `name` are compared by it, whatever their order.
 */
export function changedPaths(before: unknown, after: unknown): string[] {
  const paths: string[] = [];
  compare(before, after, [], paths);
  return paths.length <= MOST ? paths : [...paths.slice(0, MOST), `and ${paths.length - MOST} more`];
}

function compare(before: unknown, after: unknown, at: readonly string[], paths: string[]): void {
  if (Object.is(before, after)) return;
  const [was, is] = [partsOf(before), partsOf(after)];
  if (was === null || is === null || at.length >= DEPTH) {
    if (JSON.stringify(before) !== JSON.stringify(after)) paths.push(at.join('.') || 'all');
    return;
  }
  for (const name of new Set([...was.keys(), ...is.keys()])) compare(was.get(name), is.get(name), [...at, name], paths);
}

/** Null for what is compared as one: texts, numbers, lists of them. */
function partsOf(value: unknown): Map<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) return new Map(Object.entries(value).filter(([, part]) => part !== undefined));
  const named = value.map((each: unknown) => (each as { name?: unknown } | null)?.name);
  if (named.length === 0 || !named.every((name) => typeof name === 'string')) return null;
  return new Map(value.map((each: unknown, index) => [String(named[index]), each]));
}
