import type { IncomingMessage } from 'node:http';
import { clientOf } from '../domain/traffic/address.ts';
import { isFromWeb } from './doors.ts';

/**
 * Where a request is from: the peer, or, where that is a proxy which is trusted, whom it heard it from. Everybody can write
 * an `X-Forwarded-For`, so of all others it is not read. Null: the socket of commands, which has no addresses.
 */
export function addressOf(request: IncomingMessage, trusts: (address: string) => boolean): string | null {
  const peer = request.socket.remoteAddress;
  if (peer === undefined || !isFromWeb(request)) return peer ?? null;
  const said = request.headers['x-forwarded-for'];
  return clientOf(unmapped(peer), typeof said === 'string' ? said : said?.join(', '), trusts).address;
}

/** An IPv4 address that came by an IPv6 socket: limits and lists know it as it is. */
const unmapped = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');
