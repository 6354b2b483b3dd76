import type { AdmittedService } from '../../domain/traffic/admission.ts';
import { LOOPBACK } from '../../domain/traffic/admission.ts';
import type { EdgeService } from '../../domain/traffic/protocol.ts';
import { normaliseHost } from '../../domain/traffic/route-table.ts';
import type { CertificatePair } from '../../domain/traffic/tls.ts';
import { portId } from '../../platform/ipc-messages.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';

/** A port of TLS, and what it needs. */
export interface TlsPort extends PortBinding {
  readonly certificates: readonly CertificatePair[];
  readonly services: readonly string[];
  readonly hosts: readonly string[];
  /** Something that is not TLS has the number. */
  readonly taken: boolean;
}

/** Every address at which something is served in plain. */
export function plainPortsOf(configs: Iterable<EdgeService>): PortBinding[] {
  const wanted = new Map<string, PortBinding>();
  const want = (port: number, bind: string) => wanted.set(portId({ port, bind }), { port, bind });
  for (const config of configs) {
    for (const { port, bind } of config.routes) want(port, bind ?? LOOPBACK);
    if (config.internalPort !== null) want(config.internalPort, LOOPBACK);
    if (config.preview !== null) want(config.preview.port, LOOPBACK);
    for (const { port } of config.callers) want(port, LOOPBACK);
  }
  return [...wanted.values()];
}

/** Ports of TLS of all services, each with the certificates of everybody who has routes there. */
export function tlsPortsOf(admitted: Iterable<AdmittedService>): TlsPort[] {
  const services = [...admitted].flatMap(({ key, config }) => (config === null ? [] : [{ key, config }]));
  const plain = new Set(plainPortsOf(services.map(({ config }) => config)).map(({ port }) => port));
  const ports = new Map<string, TlsPort>();
  for (const { key, config } of services) {
    const { tls, routes } = config;
    if (tls === undefined || routes.length === 0) continue;
    const known = ports.get(portId(tls));
    const hosts = routes.flatMap(({ host }) => (host === null ? [] : [normaliseHost(host)]));
    ports.set(portId(tls), {
      port: tls.port,
      bind: tls.bind,
      certificates: uniquePairs([...(known?.certificates ?? []), ...tls.certificates]),
      services: [...(known?.services ?? []), key],
      hosts: [...new Set([...(known?.hosts ?? []), ...hosts])],
      taken: plain.has(tls.port),
    });
  }
  return [...ports.values()];
}

const uniquePairs = (pairs: readonly CertificatePair[]): CertificatePair[] => [
  ...new Map(pairs.map((pair) => [`${pair.cert}\n${pair.key}`, pair])).values(),
];
