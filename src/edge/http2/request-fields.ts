import { isHost } from '../../domain/traffic/host.ts';

/**
 * What may become of a request's fields in HTTP/2 (RFC 9113, 8.2 and 8.3) when they are written as a head of HTTP/1.1.
 * nghttp2 refuses most of what is refused here; but there a field is a length and bytes, and here a line break would be
 * another request, so nothing is taken on trust.
 */

export interface RequestFields {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** Flat, in lower case; without pseudo fields and `host`, and with one `cookie` at most. */
  readonly fields: string[];
  /** As declared. */
  readonly contentLength: number | null;
}

export type ReadFields = { readonly ok: true; readonly request: RequestFields } | { readonly ok: false; why: string };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LOWER_TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Of a field: visible characters, with blanks between them alone. */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const PATH = /^\/[\x21\x22\x24-\x7e]*$/;
/** More digits than a number holds exactly are no length. */
const LENGTH = /^\d{1,15}$/;

const PSEUDO = new Set([':method', ':scheme', ':authority', ':path']);

/** They speak about one connection of HTTP/1.1; where there are streams they have no meaning, and may do harm behind. */
const OF_CONNECTIONS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** Something is expected of these to have a body, so that one without says so. */
const MEANS_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** `raw`: flat, as received. `ended`: nothing follows the fields. Pure. */
export function readRequestFields(raw: readonly string[], ended: boolean): ReadFields {
  const refuse = (why: string): ReadFields => ({ ok: false, why });
  const pseudo = new Map<string, string>();
  const fields: string[] = [];
  const cookies: string[] = [];
  let host: string | undefined;
  let length: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    if (!VALUE.test(value)) return refuse(`the value of ${printable(name)} holds what no value may`);
    if (name.startsWith(':')) {
      if (!PSEUDO.has(name) || pseudo.has(name)) return refuse(`${printable(name)} is unknown, or there twice`);
      if (fields.length > 0 || cookies.length > 0 || host !== undefined) return refuse(`${name} comes after fields`);
      pseudo.set(name, value);
      continue;
    }
    if (!LOWER_TOKEN.test(name)) return refuse(`${printable(name)} is no name of a field`);
    if (OF_CONNECTIONS.has(name)) return refuse(`${name} is about connections of HTTP/1.1`);
    switch (name) {
      case 'host':
        if (host !== undefined) return refuse('there are two hosts');
        host = value;
        break;
      case 'cookie':
        cookies.push(value);
        break;
      case 'te':
        if (value.toLowerCase() !== 'trailers') return refuse('te may say `trailers` alone');
        break;
      case 'content-length':
        if (length !== undefined || !LENGTH.test(value)) return refuse('there are two lengths, or it is none');
        length = value;
        fields.push(name, value);
        break;
      default:
        fields.push(name, value);
    }
  }
  const method = pseudo.get(':method') ?? '';
  const path = pseudo.get(':path') ?? '';
  const authority = pseudo.get(':authority') ?? host ?? '';
  if (!TOKEN.test(method) || method === 'CONNECT') return refuse(`the method is ${printable(method)}`);
  if (!/^https?$/.test(pseudo.get(':scheme') ?? '')) return refuse('the scheme is not that of a web site');
  if (!PATH.test(path) && !(path === '*' && method === 'OPTIONS')) return refuse(`the path is ${printable(path)}`);
  if (!isHost(authority)) return refuse(`the host is ${printable(authority)}`);
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase()) return refuse('two hosts are named');
  const contentLength = length === undefined ? null : Number(length);
  if (ended && contentLength !== null && contentLength > 0) return refuse('a body was promised and none came');
  if (ended && contentLength === null && MEANS_BODY.has(method)) fields.push('content-length', '0');
  // Fields of cookies may be sent one by one; where lines are what counts they are one again.
  if (cookies.length > 0) fields.push('cookie', cookies.join('; '));
  return { ok: true, request: { method, path, authority, fields, contentLength } };
}

const printable = (text: string): string => JSON.stringify(text.slice(0, 40));
