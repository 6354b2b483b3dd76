import { clientOf } from '../../domain/traffic/address.ts';
import { PROBE_HEADER, withoutSession } from '../../domain/traffic/session.ts';
import type { HeadEdits } from '../policy/head-edits.ts';
import { isDropped } from '../policy/head-edits.ts';
import type { ClientRequest } from './client.ts';

/** Headers that speak about one connection, not about the request; and those the edge says itself. */
const NOT_PASSED_ON = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'host',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  PROBE_HEADER,
]);

/** What only a proxy may say about a client; a client's own word is believed from trusted proxies alone. */
const CLAIMS = new Set(['forwarded', 'x-forwarded-port', 'x-forwarded-server', 'x-forwarded-prefix', 'x-real-ip']);

/** Content and security depend on these: no `Connection` header of a client may have them removed. */
const NOT_NOMINATED = new Set(['content-length', 'cookie', 'authorization', 'content-type']);

/** Programs that read headers from variables (CGI, WSGI) take `x_real_ip` for `x-real-ip`. */
const isDisguised = (lower: string): boolean => {
  const plain = lower.replaceAll('_', '-');
  return NOT_PASSED_ON.has(plain) || CLAIMS.has(plain) || NOT_NOMINATED.has(plain);
};

const NONE: ReadonlySet<string> = new Set();

/** Header names that a `Connection` header declares to be about this connection only. */
export function nominated(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => !NOT_NOMINATED.has(name)));
}

export interface RequestShape {
  readonly hasBody: boolean;
  /** Its length is unknown. */
  readonly chunked: boolean;
}

/** How the request's body is framed, or null for a transfer coding that cannot be passed on. */
export function shapeOf(req: ClientRequest): RequestShape | null {
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined) return coding.trim().toLowerCase() === 'chunked' ? { hasBody: true, chunked: true } : null;
  const length = req.headers['content-length'];
  return { hasBody: length !== undefined && length !== '0', chunked: false };
}

/**
 * The head sent upstream, as latin1 text with its final empty line. Names and values come as llhttp accepted them, so
 * they hold no line breaks; everything that frames the message is written here and nowhere else.
 */
export function requestHead(
  req: ClientRequest,
  {
    path,
    host,
    chunked,
    trusts,
    upgrade,
    edits,
  }: {
    path: string;
    host: string;
    chunked: boolean;
    /** Whose word about clients is believed; null when that of the peer is not. */
    trusts: ((address: string) => boolean) | null;
    upgrade: boolean;
    edits: HeadEdits | null;
  },
): string {
  const dropped = nominated(req.headers.connection);
  const { rawHeaders } = req;
  let head = `${req.method ?? 'GET'} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    let value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (NOT_PASSED_ON.has(lower) || (dropped !== NONE && dropped.has(lower))) continue;
    if (lower.includes('_') && isDisguised(lower)) continue;
    if (trusts === null && CLAIMS.has(lower)) continue;
    if (edits !== null && isDropped(edits, lower)) continue;
    if (lower === 'cookie') {
      const rest = withoutSession(value);
      if (rest === null) continue;
      value = rest;
    }
    head += `${name}: ${value}\r\n`;
  }
  head += forwarded(req, host, trusts);
  if (edits !== null) head += edits.add;
  if (chunked) head += 'transfer-encoding: chunked\r\n';
  head += upgrade ? `connection: upgrade\r\nupgrade: ${req.headers.upgrade ?? ''}\r\n` : 'connection: keep-alive\r\n';
  return `${head}\r\n`;
}

function forwarded(req: ClientRequest, host: string, trusts: ((address: string) => boolean) | null): string {
  const address = clientAddress(req);
  const proto = protoOf(req, trusts !== null);
  const forHost = (trusts === null ? undefined : one(req.headers['x-forwarded-host'])) ?? host;
  // What stands to the left of whom nobody vouches for is an invention of clients.
  const chain = trusts === null ? address : clientOf(address, forwardedFor(req), trusts).chain;
  return `x-forwarded-for: ${chain}\r\nx-forwarded-proto: ${proto}\r\nx-forwarded-host: ${forHost}\r\n`;
}

export const forwardedFor = (req: ClientRequest): string | undefined => one(req.headers['x-forwarded-for']);

/** How the client asked, as far as the peer is `trusted` to say so: the last word is that of the proxy nearest to here. */
export function protoOf(req: ClientRequest, trusted: boolean): 'http' | 'https' {
  const said = trusted ? one(req.headers['x-forwarded-proto'])?.split(',').at(-1)?.trim().toLowerCase() : undefined;
  if (said === 'http' || said === 'https') return said;
  return isSecure(req) ? 'https' : 'http';
}

const one = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join(', ');

/** Whether it came in over TLS. */
export const isSecure = (req: ClientRequest): boolean => 'encrypted' in req.socket;

/** The peer's address; an IPv4 address as such also on a dual-stack socket. */
export function clientAddress(req: ClientRequest): string {
  const address = req.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
