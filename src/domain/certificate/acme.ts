/** Certificates by ACME (RFC 8555): who issues them, and what may be asked for. */

export const CHALLENGES = ['http-01', 'tls-alpn-01'] as const;
export type ChallengeType = (typeof CHALLENGES)[number];

/** The best known issuers by name; any other by the URL of its directory. */
export const DIRECTORIES = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
} as const;

export interface AcmeConfig {
  /** URL of the issuer's directory. */
  directory: string;
  /** Where the issuer can reach somebody, or null. */
  email: string | null;
  /** Absolute path of a PEM file: what an issuer of one's own is trusted by; null: as browsers trust. */
  ca: string | null;
  /** Null: whichever the ports suggest. */
  challenge: ChallengeType | null;
}

/** One certificate of one issuer: every host has its own, so that one whose name leads elsewhere harms no other. */
export interface CertificateId {
  directory: string;
  host: string;
}

const isPublic = (directory: string): boolean =>
  Object.values<string>(DIRECTORIES).includes(directory) ||
  /\.(letsencrypt\.org|zerossl\.com|pki\.goog)\//.test(directory);

/** Names that lead nowhere from the outside. */
const INNER = /(^|\.)(localhost|local|internal|lan|home|home\.arpa|intranet|corp|test|example|invalid)$/;

/** Why no certificate can be had for a host, or null. */
export function hostRefusal(host: string, directory: string): string | null {
  if (host.includes('*')) return 'a wildcard is only issued to who can change the DNS zone, which evenkeel cannot';
  if (!isPublic(directory)) return null;
  if (/^[\d.]+$/.test(host) || host.includes(':'))
    return 'no certificate is issued for an address this way; give it a name';
  if (INNER.test(host)) return 'no public issuer vouches for a name that is not public';
  return null;
}

/** Hosts of routes, each once. */
export function hostsOf(services: readonly { routes: readonly { host: string | null }[] }[]): string[] {
  return [...new Set(services.flatMap(({ routes }) => routes.flatMap(({ host }) => host ?? [])))];
}
