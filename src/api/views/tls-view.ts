import type { EnvironmentConfig } from '../../domain/project/project.ts';
import { certificateConcerns, daysLeft } from '../../domain/traffic/tls.ts';
import type { Snapshot } from '../../engine/snapshot.ts';
import type { TlsStatus } from '../contract/contract.ts';

/** TLS of an environment as the edge serves it; undefined when none is configured. */
export function tlsStatus(project: string, environment: EnvironmentConfig, snapshot: Snapshot): TlsStatus | undefined {
  const { tls } = environment;
  if (tls === undefined) return undefined;
  const scope = `${project}/${environment.name}/`;
  const seen = snapshot.edge?.tls?.find(({ services }) => services.some((key) => key.startsWith(scope)));
  if (seen === undefined) return { port: tls.port, serves: null, certificates: [], concerns: [] };
  const mine = new Set(tls.certificates.map(({ cert }) => cert));
  const certificates = seen.certificates.filter(({ cert }) => mine.has(cert));
  const about = certificateConcerns(certificates, seen.hosts, snapshot.at);
  return {
    port: seen.port,
    serves: seen.error === null,
    certificates: certificates.map(({ cert, names, notAfter }) => ({
      cert,
      names,
      notAfter,
      daysLeft: notAfter === null ? null : daysLeft(notAfter, snapshot.at),
    })),
    // What cannot be used has been said with the reason why nothing is served.
    concerns: seen.error === null ? about : [seen.error],
  };
}
