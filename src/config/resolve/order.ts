/** The order in which services can be started, or a circle that makes it impossible. */
export type Order = { ok: true; names: string[] } | { ok: false; cycle: string[] };

/**
 * Each service after those it waits for, otherwise as written. Names in `after` that are no services are passed over.
 * A cycle is given as `a, b, a`.
 */
export function dependencyOrder(services: ReadonlyMap<string, readonly string[]>): Order {
  const names: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];

  const visit = (name: string): string[] | null => {
    if (done.has(name)) return null;
    const seenAt = trail.indexOf(name);
    if (seenAt !== -1) return [...trail.slice(seenAt), name];
    trail.push(name);
    for (const before of services.get(name) ?? []) {
      const cycle = services.has(before) ? visit(before) : null;
      if (cycle !== null) return cycle;
    }
    trail.pop();
    done.add(name);
    names.push(name);
    return null;
  };

  for (const name of services.keys()) {
    const cycle = visit(name);
    if (cycle !== null) return { ok: false, cycle };
  }
  return { ok: true, names };
}
