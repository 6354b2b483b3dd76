import { hostsOf } from '../../domain/certificate/acme.ts';
import type { AcmeConfig, CertificateId } from '../../domain/certificate/acme.ts';
import type { EdgeState } from '../../domain/traffic/protocol.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';

/** A certificate that an environment is to have. */
export interface WantedCertificate {
  id: CertificateId;
  acme: AcmeConfig;
  /** `project/environment`; several when they share the host. */
  scopes: string[];
  /** When somebody last brought one of them up, wall time, ms. */
  askedAt: number;
  /** Where the edge serves the host; null: not yet. */
  plainPort: number | null;
  tlsPort: number | null;
  /** Why nobody could be answered now, or null. */
  unreachable: string | null;
}

export const nameOf = ({ directory, host }: CertificateId): string => `${host} ${directory}`;

/** Certificates of everything that is up: of the hosts in the file as it is, and of those that are still served. Pure. */
export function wantedCertificates(records: readonly EnvironmentRecord[], edge: EdgeState | null): WantedCertificate[] {
  const wanted = new Map<string, WantedCertificate>();
  for (const record of records) {
    const { config, project, environment, updatedAt } = record;
    const acme = config.environment.tls?.acme;
    if (record.wanted !== 'up' || acme === undefined) continue;
    const mine = servedBy(edge, `${project}/${environment}/`);
    const served = mine.flatMap(({ tls }) => tls?.certificates.flatMap(({ issuedFor }) => issuedFor ?? []) ?? []);
    for (const host of new Set([...hostsOf(config.services), ...served])) {
      const id = { directory: acme.directory, host };
      const known = wanted.get(nameOf(id));
      const now: WantedCertificate = {
        id,
        acme,
        scopes: [`${project}/${environment}`],
        askedAt: updatedAt,
        ...portsOf(host, mine, edge),
      };
      wanted.set(nameOf(id), known === undefined ? now : merged(known, now));
    }
  }
  return [...wanted.values()];
}

type Served = EdgeState['services'][number]['config'];

const servedBy = (edge: EdgeState | null, scope: string): Served[] =>
  (edge?.services ?? []).flatMap(({ key, config }) => (key.startsWith(scope) ? [config] : []));

function portsOf(
  host: string,
  mine: readonly Served[],
  edge: EdgeState | null,
): Pick<WantedCertificate, 'plainPort' | 'tlsPort' | 'unreachable'> {
  if (edge === null) return { plainPort: null, tlsPort: null, unreachable: 'the edge does not answer' };
  const routes = mine.flatMap((each) => each.routes.filter((route) => route.host === host));
  const serving = mine.find((each) => each.tls !== undefined && each.routes.some((route) => route.host === host));
  const opened = (edge.tls ?? []).find(({ port, bind }) => port === serving?.tls?.port && bind === serving.tls.bind);
  const plainPort = routes[0]?.port ?? null;
  const tlsPort = opened !== undefined && opened.error === null ? opened.port : null;
  const unreachable = plainPort === null ? 'it is ordered once the routes of the host are open' : null;
  return { plainPort, tlsPort, unreachable };
}

/** Two environments with one host share its certificate; either can answer for it. */
function merged(one: WantedCertificate, other: WantedCertificate): WantedCertificate {
  const able = one.unreachable === null ? one : other;
  return { ...able, scopes: [...one.scopes, ...other.scopes], askedAt: Math.max(one.askedAt, other.askedAt) };
}
