/**
 * What the edge lets in at the routes of an environment, and what it says about it. Part of no release: a change holds
 * at once, and no rollback brings the former one back. Times in ms, sizes in bytes.
 */

export interface BasicAuthConfig {
  realm: string;
  /** Names, and the secret that holds the password of each. */
  users: { name: string; secret: string }[];
  passOn: boolean;
}

export interface ForwardAuthConfig {
  /** A service of the project, asked at its internal address, or a whole URL. */
  to: { service: string; path: string } | { url: string };
  /** In lower case. */
  headers: string[];
  timeoutMs: number;
}

export interface RateConfig {
  requests: number;
  perMs: number;
  burst: number;
  by: 'client' | 'all';
}

export interface RoutePolicy {
  /** Addresses and networks; null: everybody. */
  allow: string[] | null;
  deny: string[];
  basicAuth: BasicAuthConfig | null;
  forwardAuth: ForwardAuthConfig | null;
  rate: RateConfig | null;
  /** Null: no limit. */
  maxBody: number | null;
}

export interface MaintenanceConfig {
  on: boolean;
  /** Absolute path. */
  page: string | null;
  retryAfterMs: number;
  allow: string[];
}

/** Absolute paths of HTML files, by status. */
export type PagesConfig = Record<string, string>;

export interface AccessLogConfig {
  /** 0..1. */
  sample: number;
  slowMs: number;
  query: boolean;
}

export interface ServiceEntry {
  service: string;
  /** Of all its routes that are not named. */
  policy: RoutePolicy;
  routes: { host: string | null; path: string; policy: RoutePolicy }[];
  /** Null: that of the environment. */
  maintenance: MaintenanceConfig | null;
  /** Laid over those of the environment. */
  pages: PagesConfig;
}

/** Of whom the routes of a service ask passwords, and where these are. */
export const usersOf = ({ policy, routes }: ServiceEntry): { name: string; secret: string }[] =>
  [policy, ...routes.map((route) => route.policy)].flatMap(({ basicAuth }) => basicAuth?.users ?? []);

export interface EntryConfig {
  trustedProxies: string[];
  accessLog: AccessLogConfig | null;
  maintenance: MaintenanceConfig | null;
  pages: PagesConfig;
  /** Those about which the file says anything, and those of which it once did: what serves may still be theirs. */
  services: ServiceEntry[];
}

/** Maintenance as a person switched it on, whatever the file says; it outlasts deploys. */
export interface MaintenanceSwitch {
  /** Null: all of them. */
  services: string[] | null;
  by: string;
  at: number;
}

/** What nobody said anything about. Bodies have a limit all the same: nothing honest sends more without its owner knowing. */
export const OPEN: RoutePolicy = {
  allow: null,
  deny: [],
  basicAuth: null,
  forwardAuth: null,
  rate: null,
  maxBody: 100 * 1024 * 1024,
};

export const NO_ENTRY: EntryConfig = {
  trustedProxies: [],
  accessLog: null,
  maintenance: null,
  pages: {},
  services: [],
};

export const DEFAULT_MAINTENANCE: MaintenanceConfig = { on: false, page: null, retryAfterMs: 300_000, allow: [] };

/** The policy of a route: its own, or that of its service. */
export function policyOf(
  entry: EntryConfig,
  service: string,
  route: { host: string | null; path: string },
): RoutePolicy {
  const mine = entry.services.find((each) => each.service === service);
  const own = mine?.routes.find(({ host, path }) => host === route.host && path === route.path);
  return own?.policy ?? mine?.policy ?? OPEN;
}

/** The maintenance of a service as it is to be now; null: it is open. */
export function maintenanceOf(
  entry: EntryConfig,
  switched: MaintenanceSwitch | undefined,
  service: string,
): MaintenanceConfig | null {
  const written = entry.services.find((each) => each.service === service)?.maintenance ?? entry.maintenance;
  const on = switched !== undefined && (switched.services === null || switched.services.includes(service));
  return on || written?.on === true ? (written ?? DEFAULT_MAINTENANCE) : null;
}

/** Kept at most, of services that the file once had. */
const MOST_KEPT = 200;

/**
 * What the file says, with what it said before about services and routes that it does not have any more. A release that
 * has them may still serve, or come back by a rollback; its door must not stand open because a line was deleted.
 */
export function carryOver(
  before: EntryConfig | undefined,
  now: EntryConfig | undefined,
  named: NamedRoutes,
): EntryConfig | undefined {
  const kept = (before?.services ?? []).flatMap((old): ServiceEntry[] => {
    const mine = named.get(old.service);
    // What is in the file and says nothing is open because somebody wants it so.
    const routes = old.routes.filter(({ host, path }) => mine?.has(routeKey({ host, path })) !== true);
    if (mine !== undefined && routes.length === 0) return [];
    return [{ ...old, routes }];
  });
  if (kept.length === 0) return now;
  const base = now ?? NO_ENTRY;
  const services = base.services.map((each) => {
    const old = kept.find(({ service }) => service === each.service);
    return old === undefined ? each : { ...each, routes: [...each.routes, ...old.routes] };
  });
  const known = new Set(services.map(({ service }) => service));
  const gone = kept
    .filter(({ service }) => !known.has(service))
    // Of a service that is in the file, and is open there, only routes are left that it lost.
    .map((old) => (named.has(old.service) ? { ...old, policy: OPEN, maintenance: null, pages: {} } : old))
    .slice(-MOST_KEPT);
  return { ...base, services: [...services, ...gone] };
}

/** Routes of the file, by service, as `routeKey` names them. */
export type NamedRoutes = ReadonlyMap<string, ReadonlySet<string>>;

export const routeKey = ({ host, path }: { host: string | null; path: string }): string => `${host ?? ''} ${path}`;

/** All HTML files that are named, each once. */
export const pagesOf = (entry: EntryConfig): string[] => [
  ...new Set(
    [entry, ...entry.services].flatMap(({ pages, maintenance }) => [
      ...Object.values(pages),
      ...(maintenance === null || maintenance.page === null ? [] : [maintenance.page]),
    ]),
  ),
];

/** The same with other files in their places. */
export function withPages(entry: EntryConfig, placed: (file: string) => string): EntryConfig {
  const moved = <T extends { pages: PagesConfig; maintenance: MaintenanceConfig | null }>(each: T): T => {
    const { pages, maintenance } = each;
    return {
      ...each,
      pages: Object.fromEntries(Object.entries(pages).map(([status, file]) => [status, placed(file)])),
      maintenance:
        maintenance === null || maintenance.page === null
          ? maintenance
          : { ...maintenance, page: placed(maintenance.page) },
    };
  };
  return { ...moved(entry), services: entry.services.map(moved) };
}

/** The switch after a person closed or opened services (null: all); undefined when nothing is closed by it. */
export function switchMaintenance(
  before: MaintenanceSwitch | undefined,
  { on, services, by, at }: { on: boolean; services: string[] | null; by: string; at: number },
  all: readonly string[],
): MaintenanceSwitch | undefined {
  const closed = before === undefined ? [] : (before.services ?? [...all]);
  if (on) {
    const wanted = services === null || before?.services === null ? null : [...new Set([...closed, ...services])];
    return { services: wanted, by, at };
  }
  if (before === undefined) return undefined;
  const left = services === null ? [] : closed.filter((service) => !services.includes(service));
  return left.length === 0 ? undefined : { ...before, services: left };
}
