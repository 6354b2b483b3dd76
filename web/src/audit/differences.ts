/** One thing that was otherwise before. Null: it was not there, or is not any more. */
export interface Difference {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What is different between two values, place by place, in the order in which they tell it. */
export function differences(before: unknown, after: unknown): Difference[] {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((path) => ({ path, before: was.get(path) ?? null, after: is.get(path) ?? null }))
    .filter((each) => each.before !== each.after);
}

/** Every value with its place, such as `services.api.instances`. */
export function leavesOf(value: unknown): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (part: unknown, path: string): void => {
    if (part === undefined) return;
    const entries = typeof part === 'object' && part !== null ? Object.entries(part) : [];
    if (entries.length === 0) leaves.set(path, typeof part === 'string' ? part : JSON.stringify(part));
    for (const [name, each] of entries) walk(each, path === '' ? name : `${path}.${name}`);
  };
  walk(value, '');
  return leaves;
}
