/** Public routes: first by host, then by the longest path, on segment boundaries. */

export interface Route<T> {
  /** Lower case without port, or null for any host. */
  readonly host: string | null;
  /** `/` or `/api`, without trailing slash. */
  readonly path: string;
  readonly target: T;
}

export interface RouteTable<T> {
  /** Longest path first. */
  readonly hosts: ReadonlyMap<string, readonly Route<T>[]>;
  readonly anyHost: readonly Route<T>[];
}

/** `/api/` -> `/api`, `` -> `/`. */
export function normalisePath(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed;
}

/** `Chat.Example:8080` -> `chat.example`; brackets of an IPv6 address stay, a final dot goes. */
export function normaliseHost(host: string): string {
  let end = host.length;
  const colon = host.lastIndexOf(':');
  if (colon > host.lastIndexOf(']')) end = colon;
  if (end > 0 && host.charCodeAt(end - 1) === 46) end--;
  return host.slice(0, end).toLowerCase();
}

export function buildRouteTable<T>(routes: readonly { host: string | null; path: string; target: T }[]): RouteTable<T> {
  const hosts = new Map<string, Route<T>[]>();
  const anyHost: Route<T>[] = [];
  for (const { host, path, target } of routes) {
    const route = { host: host === null ? null : normaliseHost(host), path: normalisePath(path), target };
    if (route.host === null) anyHost.push(route);
    else hosts.set(route.host, [...(hosts.get(route.host) ?? []), route]);
  }
  const longestFirst = (a: Route<T>, b: Route<T>): number => b.path.length - a.path.length;
  for (const list of hosts.values()) list.sort(longestFirst);
  anyHost.sort(longestFirst);
  return { hosts, anyHost };
}

/** Whether `path` (without query) lies at or below `prefix`: `/api` takes `/api/x`, not `/apix`. */
const covers = (prefix: string, path: string): boolean =>
  prefix === '/' ||
  (path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 47));

/** The target for a request; a host with routes of its own falls back to those for any host. */
export function matchRoute<T>(table: RouteTable<T>, host: string | undefined, path: string): T | null {
  if (table.hosts.size > 0 && host !== undefined) {
    const own = table.hosts.get(normaliseHost(host));
    if (own !== undefined) for (const route of own) if (covers(route.path, path)) return route.target;
  }
  for (const route of table.anyHost) if (covers(route.path, path)) return route.target;
  return null;
}
