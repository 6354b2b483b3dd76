import { describeCertificate } from '../../domain/certificate/describe.ts';
import type { EnvironmentConfig } from '../../domain/project/project.ts';
import { certificateConcerns, daysLeft } from '../../domain/traffic/tls.ts';
import type { EdgeTlsState } from '../../domain/traffic/tls.ts';
import type { KeptCertificate } from '../../engine/certificates/keeper.ts';
import type { Snapshot } from '../../engine/snapshot.ts';
import type { TlsStatus } from '../contract/tls.ts';

interface Seen {
  project: string;
  environment: EnvironmentConfig;
  snapshot: Snapshot;
  /** When it was last brought up. */
  askedAt: number;
  /** Those that are got and renewed. */
  kept: readonly KeptCertificate[];
}

/** TLS of an environment as the edge serves it; undefined when none is configured. */
export function tlsStatus({ project, environment, snapshot, askedAt, kept }: Seen): TlsStatus | undefined {
  const { tls } = environment;
  if (tls === undefined) return undefined;
  const scope = `${project}/${environment.name}/`;
  const seen = snapshot.edge?.tls?.find(({ services }) => services.some((key) => key.startsWith(scope)));
  const issuing =
    tls.acme === undefined ? {} : { issuing: kept.map((each) => issuingView(each, askedAt, snapshot.at)) };
  const failing = (issuing.issuing ?? []).filter(({ state }) => state === 'failing');
  const concerns = failing.map(({ detail, next }) => (next === null ? detail : `${detail}; ${next}`));
  if (seen === undefined) return { port: tls.port, serves: null, certificates: [], concerns, ...issuing };
  const certificates = mineOf(seen, tls, kept);
  const about = certificateConcerns(certificates, tls.acme === undefined ? seen.hosts : [], snapshot.at);
  return {
    port: seen.port,
    serves: seen.error === null && (seen.waiting ?? null) === null,
    certificates: certificates.flatMap(({ cert, names, notAfter, issuedFor }) =>
      issuedFor !== undefined && notAfter === null
        ? []
        : { cert, names, notAfter, daysLeft: notAfter === null ? null : daysLeft(notAfter, snapshot.at) },
    ),
    // What cannot be used has been said with the reason why nothing is served.
    concerns: seen.error === null ? [...about, ...concerns] : [seen.error, ...concerns],
    ...issuing,
  };
}

/** Others may serve at the same port. */
function mineOf(
  { certificates }: EdgeTlsState,
  { acme, certificates: given }: NonNullable<EnvironmentConfig['tls']>,
  kept: readonly KeptCertificate[],
): EdgeTlsState['certificates'] {
  const files = new Set(given.map(({ cert }) => cert));
  const hosts = new Set(kept.map(({ wanted }) => wanted.id.host));
  return certificates.filter(({ cert, issuedFor }) =>
    acme === undefined ? files.has(cert) : issuedFor !== undefined && hosts.has(issuedFor),
  );
}

function issuingView(each: KeptCertificate, askedAt: number, now: number): NonNullable<TlsStatus['issuing']>[number] {
  const { wanted, look, decision, ordering } = each;
  const { host, directory } = wanted.id;
  const { failures, lastFailure, story } = look.memory;
  const { reason, wakeAt } = decision;
  const words = describeCertificate({
    host,
    installed: look.installed,
    failures,
    lastFailure,
    // Who has just brought it up asks for it now, which is seen within a second.
    ordering: ordering || (askedAt > wanted.askedAt && wanted.unreachable === null),
    reason,
    wakeAt,
    now,
  });
  return { host, issuer: directory, ...words, notAfter: look.installed?.notAfter ?? null, story };
}
