import { isIPv6, type Server } from 'node:net';

/** Where a browser on this machine finds what a server listens for; null: it does not listen. */
export function addressOf(server: Server | null): string | null {
  const at = server?.listening === true ? server.address() : null;
  if (at === null || typeof at === 'string') return null;
  // Everywhere is no address to go to.
  const host = at.address === '0.0.0.0' ? '127.0.0.1' : at.address === '::' ? '::1' : at.address;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${at.port}`;
}
