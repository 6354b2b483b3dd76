import type { IncomingMessage } from 'node:http';

/** What a request is for. */
export interface Target {
  /** Without port: `run.googleapis.com`, `127.0.0.1`. */
  host: string;
  /** Still encoded. */
  path: string;
  query: URLSearchParams;
  /** For links in replies. */
  origin: string;
}

/**
 * A request names its host by the header, by an absolute target (when we are used as a plain proxy), or, for clients that
 * can only be given another root, as the first part of the path: `/run.googleapis.com/v2/…`.
 */
export function targetOf(request: IncomingMessage): Target {
  const raw = request.url ?? '/';
  const header = request.headers.host ?? '127.0.0.1';
  const absolute = /^(https?):\/\/([^/?#]+)(.*)$/i.exec(raw);
  const authority = absolute?.[2] ?? header;
  const rest = absolute === null ? raw : (absolute[3] ?? '');
  const [path = '/', query = ''] = (rest.startsWith('/') ? rest : `/${rest}`).split('?', 2);
  const host = authority.replace(/:\d+$/, '').toLowerCase();
  const scheme = absolute?.[1] ?? (isGoogle(host) ? 'https' : 'http');
  const target = {
    host,
    path,
    query: new URLSearchParams(rest.includes('?') ? rest.slice(rest.indexOf('?') + 1) : query),
  };
  const [, named, below] = /^\/((?:[a-z0-9-]+\.)+googleapis\.com)(\/.*)$/.exec(path) ?? [];
  if (named !== undefined && below !== undefined && !isGoogle(host))
    return { ...target, host: named, path: below, origin: `${scheme}://${authority}/${named}` };
  return { ...target, origin: `${scheme}://${authority}` };
}

export const isGoogle = (host: string): boolean => host === 'googleapis.com' || host.endsWith('.googleapis.com');

/**
 * The host of the discovery document that a Google host stands for: `europe-west1-run.googleapis.com` and
 * `run.europe-west1.rep.googleapis.com` are `run.googleapis.com`.
 */
export function globalHost(host: string): string {
  const name = host.replace(/(\.[a-z]+-[a-z]+\d+\.rep|\.mtls)?\.googleapis\.com$/, '');
  return `${name.replace(/^[a-z]+-[a-z]+\d+-/, '').replace(/^content-/, '')}.googleapis.com`;
}
