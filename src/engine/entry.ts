import type { EntryConfig, MaintenanceSwitch, RoutePolicy } from '../domain/project/entry.ts';
import { maintenanceOf, NO_ENTRY, policyOf } from '../domain/project/entry.ts';
import type { Deployment } from '../domain/release/release.ts';
import type { EdgePolicy } from '../domain/traffic/policy.ts';
import type { EdgeService } from '../domain/traffic/protocol.ts';

/** What the edge is told about who gets in. */
export interface EntryInput {
  entry: EntryConfig | undefined;
  switched: MaintenanceSwitch | undefined;
  /** Of the password that a secret holds; null: there is none, and nobody gets in with it. */
  hashOf(secret: string, user: string): string | null;
  /** Where a service is asked by the edge itself; null: nowhere yet. */
  addressOf(service: string): string | null;
}

/** Where services are asked by the edge: at their internal address, as by each other. */
export const addressesOf =
  (deployments: Deployment[]) =>
  (service: string): string | null => {
    const port = deployments.find((each) => each.service === service)?.internalPort ?? null;
    return port === null ? null : `http://127.0.0.1:${port}`;
  };

type RouteFields = Pick<EdgeService['routes'][number], 'policy' | 'maxBody'>;
type ServiceFields = Pick<EdgeService, 'trustedProxies' | 'maintenance' | 'pages' | 'accessLog'>;

/** What is said of one route. Nothing is said of what is open: most routes have nothing to look at. */
export function routeEntry(
  input: EntryInput,
  service: string,
  route: { host: string | null; path: string },
): RouteFields {
  const policy = policyOf(input.entry ?? NO_ENTRY, service, route);
  const { allow, deny, basicAuth, forwardAuth, rate, maxBody } = policy;
  const guarded = allow !== null || deny.length > 0 || basicAuth !== null || forwardAuth !== null || rate !== null;
  return {
    ...(guarded ? { policy: edgePolicy(policy, input) } : {}),
    ...(maxBody === null ? {} : { maxBody }),
  };
}

function edgePolicy({ allow, deny, basicAuth, forwardAuth, rate }: RoutePolicy, input: EntryInput): EdgePolicy {
  return {
    allow,
    deny,
    basicAuth:
      basicAuth === null
        ? null
        : {
            realm: basicAuth.realm,
            users: basicAuth.users.map(({ name, secret }) => ({ name, hash: input.hashOf(secret, name) })),
            passOn: basicAuth.passOn,
          },
    forwardAuth:
      forwardAuth === null
        ? null
        : {
            url:
              'url' in forwardAuth.to
                ? forwardAuth.to.url
                : urlAt(input.addressOf(forwardAuth.to.service), forwardAuth.to.path),
            timeoutMs: forwardAuth.timeoutMs,
            headers: forwardAuth.headers,
          },
    rate,
  };
}

const urlAt = (address: string | null, path: string): string | null => (address === null ? null : `${address}${path}`);

/** What is said of all routes of a service. */
export function serviceEntry({ entry = NO_ENTRY, switched }: EntryInput, service: string): ServiceFields {
  const maintenance = maintenanceOf(entry, switched, service);
  const pages = { ...entry.pages, ...entry.services.find((each) => each.service === service)?.pages };
  const { trustedProxies, accessLog } = entry;
  return {
    ...(trustedProxies.length === 0 ? {} : { trustedProxies }),
    ...(maintenance === null
      ? {}
      : {
          maintenance: {
            page: maintenance.page,
            retryAfterS: Math.ceil(maintenance.retryAfterMs / 1000),
            allow: maintenance.allow,
          },
        }),
    ...(Object.keys(pages).length === 0 ? {} : { pages }),
    ...(accessLog === null ? {} : { accessLog }),
  };
}
