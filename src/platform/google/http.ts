import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Credentials } from './credentials.ts';
import { type Asked, readErrorBody, refusalOf, unreachable } from './refusal.ts';
import { retryDelay } from './retry.ts';
import { openWire } from './wire.ts';

/** How each request is sent, whoever makes it: with credentials, tried again where that can help, counted. */
export interface GoogleHttp {
  /** For Google's clients. What is lost is sent again: it must do no harm twice. */
  fetch: typeof fetch;
  /** The same for what must not be done twice: sent again only when it was surely not done. */
  fetchOnce: typeof fetch;
  /** JSON there and back; null for an empty answer. Throws `GoogleRefusal`. */
  request<T>(method: string, url: string, options?: RequestOptions): Promise<T>;
  /** Any answer that is a success, whole. Throws `GoogleRefusal`. */
  send(method: string, url: string, options?: SendOptions): Promise<Response>;
  /** Requests that were sent, tries included. */
  calls(): number;
  credentials: Credentials;
  /** ms; the most that is waited before a second try or look. A stand-in is quicker than Google. */
  pace: number;
  close(): void;
}

export interface RequestOptions {
  query?: Record<string, string | number | boolean | readonly string[] | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Not again when it may have been done. */
  once?: boolean;
  /** At most so many; 1 for what must not even be refused and done: "unavailable" may come from one who has passed it on. */
  tries?: number;
  /** ms for one try; 60 s by default, for ever when the body is a stream. */
  tryMs?: number;
}

export interface SendOptions extends Omit<RequestOptions, 'body'> {
  headers?: RequestInit['headers'];
  body?: string | Uint8Array | Readable | null;
  /** Whose it is: `access` by default, nobody's, or proven to the service at an address. */
  as?: 'access' | 'nobody' | { audience: string };
}

export interface HttpOptions {
  credentials: Credentials;
  endpoint: URL | null;
  /** ms; see `GoogleHttp`. */
  pace?: number;
  now?: () => number;
  random?: () => number;
}

/** ms. */
const TRY = 60_000;

export function openGoogle({ credentials, endpoint, ...rest }: HttpOptions): GoogleHttp {
  const { now = Date.now, random = Math.random, pace = endpoint === null ? 500 : 50 } = rest;
  const wire = openWire(endpoint);
  let calls = 0;
  let answered = false;

  /** One try: the whole answer, so that one that is cut off counts as none. */
  async function attempt(method: string, url: URL, options: SendOptions, signal: AbortSignal): Promise<Response> {
    const headers = new Headers(options.headers);
    headers.set('accept', headers.get('accept') ?? 'application/json');
    if (!headers.has('user-agent')) headers.set('user-agent', 'evenkeel');
    for (const [name, value] of await proofs(options.as ?? 'access', url)) headers.set(name, value);
    calls += 1;
    const answer = await wire.send({ method, url, headers, body: options.body ?? null, signal });
    answered = true;
    if (answer.body === null) return answer;
    return new Response(await answer.arrayBuffer(), { status: answer.status, headers: answer.headers });
  }

  async function proofs(as: NonNullable<SendOptions['as']>, url: URL): Promise<Headers> {
    if (as === 'nobody') return new Headers();
    if (as === 'access') return credentials.headers(url.href);
    return new Headers({ authorization: `Bearer ${await credentials.identityToken(as.audience)}` });
  }

  async function send(method: string, address: string, options: SendOptions = {}): Promise<Response> {
    const url = withQuery(new URL(address), options.query);
    const asked: Asked = { method, host: url.host, path: url.pathname };
    const streamed = options.body instanceof Readable;
    for (let tries = 1; ; tries += 1) {
      options.signal?.throwIfAborted();
      const limit = AbortSignal.timeout(options.tryMs ?? (streamed ? 2 ** 31 - 1 : TRY));
      const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
      let answer: Response | null = null;
      let lost: unknown = null;
      try {
        answer = await attempt(method, url, options, signal);
      } catch (error) {
        if (options.signal?.aborted === true) throw interrupted(asked, options.signal);
        if (error instanceof EvenkeelError) throw error;
        lost = error;
      }
      if (answer !== null && answer.status < 400) return answer;
      const text = answer === null ? '' : await answer.text();
      const refusal =
        answer === null ? unreachable(asked, lost) : refusalOf(asked, answer.status, text, credentials.renew);
      const delay = retryDelay(
        {
          status: answer?.status ?? null,
          reason: answer === null ? null : readErrorBody(text).reason,
          retryAfter: answer?.headers.get('retry-after') ?? null,
          tries,
          once: (options.once ?? false) && !neverSent(lost),
          alone: !answered && neverSent(lost),
        },
        { now: now(), random: random(), first: pace },
      );
      // A stream is used up by the first try.
      if (delay === null || streamed || tries >= (options.tries ?? Infinity)) throw refusal;
      await sleep(delay, undefined, { signal: options.signal }).catch(() => {
        throw interrupted(asked, options.signal, refusal);
      });
    }
  }

  const fetchWith = (once: boolean): typeof fetch =>
    ((input: string | URL, init: RequestInit = {}) =>
      send(init.method ?? 'GET', String(input), {
        headers: headersOf(init.headers),
        body: (init.body ?? null) as SendOptions['body'] & object,
        signal: init.signal ?? undefined,
        once,
      })) as typeof fetch;

  return {
    fetch: fetchWith(false),
    fetchOnce: fetchWith(true),
    send,
    async request<T>(method: string, url: string, { body, ...options }: RequestOptions = {}): Promise<T> {
      const answer = await send(method, url, {
        ...options,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await answer.text();
      return (text === '' ? null : JSON.parse(text)) as T;
    },
    calls: () => calls,
    credentials,
    pace,
    close: wire.close,
  };
}

/** Google's clients are given this as their settings. */
export const clientOptions = (http: GoogleHttp): { fetchImplementation: typeof fetch; retry: false } => ({
  fetchImplementation: http.fetch,
  retry: false,
});

/** The outcome of a call of Google's clients, which wrap what went wrong in an error of their own. */
export async function called<T>(call: Promise<{ data: T }>): Promise<T> {
  try {
    return (await call).data;
  } catch (error) {
    throw error instanceof Error && error.cause instanceof EvenkeelError ? error.cause : error;
  }
}

/** Their headers, without what only makes sense between them and their own connections. */
function headersOf(init: RequestInit['headers']): Headers {
  const headers = new Headers(init);
  headers.delete('content-length');
  return headers;
}

function withQuery(url: URL, query: RequestOptions['query']): URL {
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value])
      url.searchParams.append(key, String(one));
  }
  return url;
}

/** Nothing of it can have arrived. */
const neverSent = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)$/.test(String(error.code));

function interrupted(asked: Asked, signal: AbortSignal | undefined, former?: EvenkeelError): EvenkeelError {
  const reason: unknown = signal?.reason;
  if (reason instanceof EvenkeelError) return reason;
  const late = reason instanceof Error && reason.name === 'TimeoutError';
  return new EvenkeelError({
    code: late ? 'cloud-timeout' : 'cloud-interrupted',
    what: late ? `${asked.host} did not answer in time` : 'stopped before it was done; what Google has begun goes on',
    where: `${asked.method} https://${asked.host}${asked.path}`,
    ...(former === undefined ? {} : { why: former.why ?? former.message }),
    next: 'run the same again: it goes on where this ended',
    retryable: true,
  });
}
