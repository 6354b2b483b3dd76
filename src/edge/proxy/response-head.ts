import { RELEASE_HEADER } from '../../domain/traffic/session.ts';
import { nominated } from './request-head.ts';

/** What a reply's head means to the edge. */
export interface ResponseHead {
  /** Flat, for `writeHead`: without what concerns the upstream connection only. */
  readonly headers: string[];
  readonly contentLength: number | null;
  readonly contentType: string;
  readonly cacheControl: string | undefined;
  /** Trailers that are announced; only a chunked reply may announce any. */
  readonly trailer: string | undefined;
  /** In chunks or as it is: nothing was done to its body that gets lost here with `Transfer-Encoding`. */
  readonly plain: boolean;
}

const NOT_PASSED_BACK = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  RELEASE_HEADER,
]);

export function readResponseHead(raw: readonly string[]): ResponseHead {
  const headers: string[] = [];
  let contentLength: number | null = null;
  let contentType = '';
  let cacheControl: string | undefined;
  let connection: string | undefined;
  let trailer: string | undefined;
  let plain = true;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'connection') connection = connection === undefined ? value : `${connection}, ${value}`;
    if (NOT_PASSED_BACK.has(lower)) {
      if (lower === 'trailer') trailer = value;
      else if (lower === 'transfer-encoding') plain &&= value.trim().toLowerCase() === 'chunked';
      continue;
    }
    if (lower === 'content-length') contentLength = Number(value);
    else if (lower === 'content-type') contentType = value;
    else if (lower === 'cache-control') cacheControl = cacheControl === undefined ? value : `${cacheControl}, ${value}`;
    headers.push(name, value);
  }
  const dropped = nominated(connection?.toLowerCase());
  const kept = dropped.size > 0 ? without(headers, dropped) : headers;
  return { headers: kept, contentLength, contentType, cacheControl, trailer, plain };
}

function without(headers: readonly string[], dropped: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!dropped.has(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

/** Takes a header out of a flat list, in place. `name` is in lower case. */
export function withoutHeader(headers: string[], name: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) if (headers[i]?.toLowerCase() === name) headers.splice(i, 2);
}
