import type { ClientRequest } from '../proxy/client.ts';

/** Whoever issues certificates asks here in plain, and follows no redirect to a certificate that is not there yet. */
const CHALLENGES = '/.well-known/acme-challenge/';

const HTTPS_PORT = 443;

/** A host as it may stand in a URL, and its port. */
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d+)?$/i;

export const isChallenge = (path: string): boolean => path.startsWith(CHALLENGES);

export const tokenOf = (path: string): string => path.slice(CHALLENGES.length);

/** The same over TLS, or null when what was asked cannot be written as a URL. */
export function secureLocation(req: ClientRequest, host: string | undefined, port: number): string | null {
  const name = HOST.exec(host ?? '')?.[1];
  const url = req.url ?? '';
  if (name === undefined || !url.startsWith('/')) return null;
  return `https://${name.toLowerCase()}${port === HTTPS_PORT ? '' : `:${port}`}${url}`;
}
