import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { type Reach, reachOf } from './address-reach.ts';

/** Documents, keys and tokens are some kilobytes. */
const MAX_BYTES = 512 * 1024;
/** From the first byte of the question to the last of the answer, ms. */
const TIMEOUT_MS = 8_000;

/** What the guard does not let through. Nothing was sent. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

export interface Guard {
  /** What an operator named, as URLs: their hosts may be wherever they are. The first one tells how private others may be. */
  readonly named: readonly [string, ...string[]];
  /** Certificates beside those that everybody trusts, in PEM form. */
  readonly ca?: string | null;
  /** For tests. Default: that of the system. */
  readonly lookup?: (hostname: string) => Promise<readonly LookupAddress[]>;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

const RANK: Readonly<Record<Exclude<Reach, 'none'>, number>> = { public: 0, private: 1, loopback: 2 };

/**
 * A `fetch` for addresses that others wrote down: over https, without redirects, with an end in time and size, and only to
 * where whoever named the first host could have sent it. What that host names is asked on its own network or a more public
 * one, so a public issuer leads nobody to this machine, to its network or to what a cloud keeps for it. Names are looked up
 * once, and the connection goes to what was looked at. http is for what stays on this machine.
 */
export function guardedFetch({
  named,
  ca = null,
  lookup = lookUp,
}: Guard): (url: string, ask?: Ask) => Promise<Response> {
  const hosts = new Set(named.map((each) => new URL(each).host));
  const first = new URL(named[0]);
  /** Of the first host; until it was asked, as if it were public. */
  let firstReach = RANK.public;

  function judge(url: URL, addresses: readonly LookupAddress[]): { fit: readonly LookupAddress[]; rank: number } {
    const reached = addresses.map((each) => ({ each, reach: reachOf(each.address) }));
    const fit = reached.filter(({ reach }) => {
      if (reach === 'none') return false;
      if (url.protocol === 'http:') return reach === 'loopback' && isLoopbackName(url) && isLoopbackName(first);
      return hosts.has(url.host) || RANK[reach] <= firstReach;
    });
    if (fit.length === 0)
      throw new AddressRefused(
        `${url.host} is at ${addresses.map(({ address }) => address).join(', ') || 'no address'}, where it is not asked`,
      );
    const ranks = fit.map(({ reach }) => (reach === 'none' ? RANK.public : RANK[reach]));
    return { fit: fit.map(({ each }) => each), rank: Math.min(...ranks) };
  }

  return async (address, { method = 'GET', headers, body, signal } = {}) => {
    const url = new URL(address);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackName(first)))
      throw new AddressRefused(`${url.host} is to be asked over ${url.protocol.slice(0, -1)}, and only https is safe`);
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    const ended = AbortSignal.any([
      AbortSignal.timeout(TIMEOUT_MS),
      ...(signal === null || signal === undefined ? [] : [signal]),
    ]);
    const known =
      isIP(literal) === 0
        ? await unlessAborted(lookup(url.hostname), ended)
        : [{ address: literal, family: isIP(literal) }];
    const { fit, rank } = judge(url, known);
    const pinned: LookupFunction = (_host, options, done) => {
      const [one] = fit;
      if (options.all === true) done(null, [...fit]);
      else done(null, one?.address ?? '', one?.family ?? 4);
    };
    const outgoing = (url.protocol === 'https:' ? overHttps : overHttp)(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      agent: false,
      lookup: pinned,
      ...(ca === null ? {} : { ca: [...rootCertificates, ca] }),
      signal: ended,
    });
    const answer = await answerOf(outgoing, body === undefined || body === null ? undefined : textOf(body));
    // Not before it has proven by its certificate that it is the one who was meant.
    if (url.host === first.host) firstReach = rank;
    return answer;
  };
}

/** By name, and not by what a resolver says: a name of the internet can lead here, too. */
const isLoopbackName = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || hostname === '127.0.0.1';

const lookUp = (hostname: string): Promise<LookupAddress[]> =>
  new Promise((resolve, reject) =>
    systemLookup(hostname, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error))),
  );

/** Resolvers take what time they like. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function textOf(body: unknown): string {
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new TypeError('only text is sent');
}

function answerOf(outgoing: ClientRequest, body: string | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) incoming.destroy(new Error(`the answer is longer than ${MAX_BYTES / 1024} KiB`));
        else chunks.push(chunk);
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        try {
          resolve(responseOf(incoming, Buffer.concat(chunks)));
        } catch (error) {
          reject(new Error(`the answer is none of HTTP: ${String(error)}`));
        }
      });
    });
    outgoing.end(body);
  });
}

/** Throws for a status or a header that there is not. */
function responseOf({ statusCode = 0, headersDistinct }: IncomingMessage, body: Buffer<ArrayBuffer>): Response {
  const headers = Object.entries(headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  const empty = statusCode === 204 || statusCode === 205 || statusCode === 304;
  return new Response(empty ? null : body, { status: statusCode, headers });
}
