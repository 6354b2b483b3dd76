import { z } from 'zod';

/** TLS at the edge: what is commanded, what is reported, and what is to be said about certificates. Times are wall time, ms. */

const port = z.number().int().min(1).max(65535);
const time = z.number();

/** Absolute paths of PEM files: the certificate with what it was signed by, and its key. */
export const certificatePairSchema = z.object({
  cert: z.string().min(1),
  key: z.string().min(1),
  /** The host for which evenkeel gets it: as long as there is no file, nothing is wrong. */
  issuedFor: z.string().optional(),
});

/** Beside the plain routes of a service: the same ones over TLS. */
export const edgeTlsSchema = z.object({
  port,
  bind: z.string().min(1),
  /** The first is for clients that name no host, or one that no certificate is for. */
  certificates: z.array(certificatePairSchema).min(1),
  /** Who asks in plain is sent here, as long as TLS is served. */
  redirect: z.boolean(),
  hsts: z.enum(['off', 'on', 'preload']),
});

export const certificateSeenSchema = z.object({
  /** Path of the file. */
  cert: z.string(),
  /** Hosts and addresses of what is in use; empty when nothing of it is. */
  names: z.array(z.string()),
  notBefore: time.nullable(),
  notAfter: time.nullable(),
  /** Why the files as they are now cannot be used; what was loaded before is used on. */
  error: z.string().nullable(),
  issuedFor: z.string().optional(),
});

/** One port at which the edge serves TLS, or is to. */
export const edgeTlsStateSchema = z.object({
  port,
  bind: z.string(),
  /** Whose routes are served here, as `project/environment/service`. */
  services: z.array(z.string()),
  /** Why nobody is served here, or null. */
  error: z.string().nullable(),
  /** What is awaited before anybody is served here, while nothing is wrong. */
  waiting: z.string().nullable().optional(),
  /** Hosts of its routes. */
  hosts: z.array(z.string()),
  certificates: z.array(certificateSeenSchema),
});

export type CertificatePair = z.infer<typeof certificatePairSchema>;
export type EdgeTls = z.infer<typeof edgeTlsSchema>;
export type CertificateSeen = z.infer<typeof certificateSeenSchema>;
export type EdgeTlsState = z.infer<typeof edgeTlsStateSchema>;

const DAY_MS = 86_400_000;
/** Whatever renews certificates has had its chance by then. */
const SOON_DAYS = 14;

/** Whole days until a certificate ends; negative once it has. */
export const daysLeft = (notAfter: number, now: number): number => Math.floor((notAfter - now) / DAY_MS);

/** Whether a certificate with these names is for a host; a `*` stands for one label. */
export function covers(names: readonly string[], host: string): boolean {
  const wanted = host.toLowerCase();
  const dot = wanted.indexOf('.');
  const wild = dot > 0 ? `*${wanted.slice(dot)}` : null;
  return names.some((name) => name.toLowerCase() === wanted || name.toLowerCase() === wild);
}

/** What the `Strict-Transport-Security` header says, or null for none. */
export function hstsHeader(hsts: EdgeTls['hsts']): string | null {
  if (hsts === 'off') return null;
  return hsts === 'on' ? 'max-age=31536000' : 'max-age=31536000; includeSubDomains; preload';
}

/** What a person should know about one certificate, or null: it does not work, or soon will not. */
export function certificateConcern(seen: CertificateSeen, now: number): string | null {
  const { cert, notBefore, notAfter, error } = seen;
  if (error !== null) return notAfter === null ? error : `${error}; the one from before is still in use`;
  if (notBefore !== null && notBefore > now)
    return `${cert} is not valid yet; look at the clock, or take the former one`;
  if (notAfter === null) return null;
  const days = daysLeft(notAfter, now);
  if (days < 0) return `${cert} has expired; clients refuse it. Renew it: the edge takes the new file by itself`;
  return days < SOON_DAYS ? `${cert} expires in ${inDays(days)}; see why it was not renewed yet` : null;
}

/** Everything to be said about the certificates of some hosts. */
export function certificateConcerns(
  certificates: readonly CertificateSeen[],
  hosts: readonly string[],
  now: number,
): string[] {
  const names = certificates.flatMap((each) => each.names);
  // Without any that could be read there is nothing to compare hosts with.
  const uncovered = names.length === 0 ? [] : hosts.filter((host) => !covers(names, host));
  return [
    ...certificates.flatMap((each) => certificateConcern(each, now) ?? []),
    ...uncovered.map((host) => `no certificate is for ${host}; clients refuse it. Add one that names it`),
  ];
}

/** `less than a day`, `1 day`, `60 days`. */
export const inDays = (days: number): string =>
  days < 1 ? 'less than a day' : `${days} ${days === 1 ? 'day' : 'days'}`;
