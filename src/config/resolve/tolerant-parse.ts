import type { z } from 'zod';

/**
 * Parses what can be parsed: values with mistakes are left out, as if they had not been written. The mistakes are
 * reported elsewhere; this lets the rest be checked at the same time. Null when too little is left.
 */
export function parseTolerantly<T extends z.ZodType>(schema: T, value: unknown): z.output<T> | null {
  const first = schema.safeParse(value);
  if (first.success) return first.data;
  const copy = structuredClone(value);
  for (const issue of first.error.issues) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) remove(copy, [...issue.path, key]);
    else remove(copy, issue.path);
  }
  const second = schema.safeParse(copy);
  return second.success ? second.data : null;
}

function remove(from: unknown, path: readonly PropertyKey[]): void {
  const last = path.at(-1);
  let at = from;
  for (const key of path.slice(0, -1)) {
    if (typeof at !== 'object' || at === null) return;
    // Lists are taken away as a whole: the places of their other items must not move.
    if (Array.isArray(at)) return;
    at = Reflect.get(at, key);
  }
  if (typeof at === 'object' && at !== null && last !== undefined && !Array.isArray(at)) {
    Reflect.deleteProperty(at, last);
  }
}
