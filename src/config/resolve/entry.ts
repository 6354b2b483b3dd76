import { resolve } from 'node:path';

import type {
  EntryConfig,
  MaintenanceConfig,
  PagesConfig,
  RoutePolicy,
  ServiceEntry,
} from '../../domain/project/entry.ts';
import { DEFAULT_MAINTENANCE, OPEN } from '../../domain/project/entry.ts';
import { DEFAULT_ACCESS_LOG, DEFAULT_FORWARD_AUTH_TIMEOUT_MS } from '../defaults.ts';
import type { environment as environmentSchema } from '../schema/environment.ts';
import type { WrittenService } from '../schema/service.ts';

type WrittenEnvironment = Partial<ReturnType<(typeof environmentSchema)['parse']>>;
type WrittenRoute = NonNullable<WrittenService['routes']>[number];
type Written = Pick<WrittenService, 'access' | 'limits'>;

interface Surroundings {
  root: string;
  project: string;
  /** Default host of routes. */
  domain: string | null;
}

/** What the edge lets in and what it says about it; undefined when the file says nothing of it. */
export function resolveEntry(
  services: readonly { name: string; written: WrittenService }[],
  environment: WrittenEnvironment | null,
  around: Surroundings,
): EntryConfig | undefined {
  const entry: EntryConfig = {
    trustedProxies: environment?.trustedProxies ?? [],
    accessLog: resolveAccessLog(environment?.accessLog),
    maintenance: resolveMaintenance(environment?.maintenance, around.root),
    pages: resolvePages(environment?.errorPages, around.root),
    services: services.flatMap(({ name, written }) => resolveServiceEntry(name, written, around) ?? []),
  };
  const { trustedProxies, accessLog, maintenance, pages } = entry;
  const nothing = trustedProxies.length === 0 && accessLog === null && maintenance === null && isEmpty(pages);
  return nothing && entry.services.length === 0 ? undefined : entry;
}

function resolveServiceEntry(name: string, written: WrittenService, around: Surroundings): ServiceEntry | null {
  const { errorPages, maintenance } = written;
  const policy = policyOver(OPEN, written, around);
  const routes = (written.routes ?? []).flatMap((route) => {
    if (!hasPolicy(route)) return [];
    return [{ host: route.host ?? around.domain, path: route.path, policy: policyOver(policy, route, around) }];
  });
  const says = written.access ?? written.limits ?? errorPages ?? maintenance;
  if (says === undefined && routes.length === 0) return null;
  return {
    service: name,
    policy,
    routes,
    maintenance: resolveMaintenance(maintenance, around.root),
    pages: resolvePages(errorPages, around.root),
  };
}

const hasPolicy = (route: WrittenRoute): route is WrittenRoute & Written =>
  ('access' in route && route.access !== undefined) || ('limits' in route && route.limits !== undefined);

/** A route says what is different from its service. */
function policyOver(base: RoutePolicy, { access = {}, limits = {} }: Written, { project }: Surroundings): RoutePolicy {
  const { allow, deny, basicAuth, forwardAuth } = access;
  const { rate, body } = limits;
  return {
    allow: allow ?? base.allow,
    deny: deny ?? base.deny,
    basicAuth:
      basicAuth === undefined
        ? base.basicAuth
        : basicAuth === false
          ? null
          : {
              realm: basicAuth.realm ?? project,
              users: Object.entries(basicAuth.users).map(([name, secret]) => ({ name, secret })),
              passOn: basicAuth.passOn ?? false,
            },
    forwardAuth:
      forwardAuth === undefined
        ? base.forwardAuth
        : forwardAuth === false
          ? null
          : {
              to:
                forwardAuth.url === undefined
                  ? { service: forwardAuth.service ?? '', path: forwardAuth.path ?? '/' }
                  : { url: forwardAuth.url },
              headers: [...new Set(forwardAuth.headers ?? [])],
              timeoutMs: forwardAuth.timeout ?? DEFAULT_FORWARD_AUTH_TIMEOUT_MS,
            },
    rate:
      rate === undefined
        ? base.rate
        : rate === false
          ? null
          : {
              requests: rate.requests,
              perMs: rate.per,
              burst: ('burst' in rate ? rate.burst : undefined) ?? rate.requests,
              by: ('by' in rate ? rate.by : undefined) ?? 'client',
            },
    maxBody: body === undefined ? base.maxBody : body === false ? null : body,
  };
}

function resolveMaintenance(written: WrittenService['maintenance'], root: string): MaintenanceConfig | null {
  if (written === undefined) return null;
  const { on = DEFAULT_MAINTENANCE.on, page, retryAfter, allow } = written;
  return {
    on,
    page: page === undefined ? null : resolve(root, page),
    retryAfterMs: retryAfter ?? DEFAULT_MAINTENANCE.retryAfterMs,
    allow: allow ?? [],
  };
}

function resolvePages(written: WrittenService['errorPages'], root: string): PagesConfig {
  return Object.fromEntries(
    Object.entries(written ?? {}).flatMap(([status, page]) =>
      page === undefined ? [] : [[status, resolve(root, page)]],
    ),
  );
}

function resolveAccessLog(written: WrittenEnvironment['accessLog']): EntryConfig['accessLog'] {
  if (written === undefined || written === false) return null;
  const { sample, slow, query } = written === true ? {} : written;
  const { sample: share, slowMs } = DEFAULT_ACCESS_LOG;
  return { sample: sample === undefined ? share : sample / 100, slowMs: slow ?? slowMs, query: query ?? false };
}

const isEmpty = (pages: PagesConfig): boolean => Object.keys(pages).length === 0;
