/** What a load is made of. All of it is plain data, so that it can be handed to a process of its own. */

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Sent as `Host`, where a proxy routes by name; default `host:port`. */
  readonly hostHeader?: string;
}

/** One kind of request; the load sends each with its share of the sum of all weights. */
export interface RequestKind {
  readonly name: string;
  readonly weight: number;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sends this many random bytes; with `echoesDigest` the reply must name their SHA-256 as `sha256`. */
  readonly bytes?: number;
  readonly echoesDigest?: boolean;
  /** Sends the session's JSON Web Token. */
  readonly auth?: boolean;
  /** Statuses that are right; default 200 to 399. */
  readonly expect?: readonly number[];
  /** Where the JSON reply names an event that every event stream must have seen in the end, as `message.id`. */
  readonly eventIdAt?: string;
  /** Slow on purpose: left out of the overall latency. */
  readonly slow?: boolean;
}

export interface LoadOptions {
  readonly target: Target;
  /** Requests per second, sent at their time whatever the replies do (open loop). */
  readonly rate: number;
  readonly mix: readonly RequestKind[];
  /** Sent once by each session before anything else that has `auth`, for example to fill an account. */
  readonly firstOfSession?: RequestKind;
  /** Virtual users, each with its own cookies, token and keep-alive connections. */
  readonly sessions: number;
  /** Share of requests, 0..1, that carry no cookie and keep none. */
  readonly cookieless: number;
  /**
   * Users that leave their only connection idle for each of these times, in ms, before they send on it again. A request
   * that meets a connection just being closed is failed: nothing is sent twice.
   */
  readonly idle?: { readonly users: number; readonly gapsMs: readonly number[] };
  readonly ws?: { readonly path: string; readonly count: number; readonly everyMs: number; readonly echo: boolean };
  /** `contiguous`: ids are whole numbers without gaps, so that a lost event shows. */
  readonly sse?: { readonly path: string; readonly count: number; readonly contiguous: boolean };
  readonly timeoutMs: number;
  /** The header of replies that names the release that answered. */
  readonly versionHeader: string;
  /** Releases that are bad on purpose: their own 5xx are counted apart, and are not failures. */
  readonly expectBadVersions: readonly string[];
  /** Signs the sessions' tokens (HS256). */
  readonly jwtSecret?: string;
  readonly seed: number;
  /** A request due while so many are under way is skipped, and the report says so. */
  readonly maxInFlight: number;
}

/** Fills in everything but target and mix with modest values. */
export function withDefaults(options: Partial<LoadOptions> & Pick<LoadOptions, 'target' | 'mix'>): LoadOptions {
  return {
    rate: 50,
    sessions: 50,
    cookieless: 0.1,
    timeoutMs: 10_000,
    versionHeader: 'x-app-version',
    expectBadVersions: [],
    seed: 1,
    maxInFlight: 2000,
    ...options,
  };
}

/**
 * The standard load on `examples/chat`: 200 requests/s and more, over 20 % POST, 2 s replies, 1 MiB uploads, idle gaps
 * around the keep-alive limits of clients and servers (undici 4 s, Node 5 s, HAProxy 10 s), 20 WebSockets, 20 streams.
 *
 * @param scale share of all of it, for a smaller machine or a shorter run; there is always some of everything
 */
export function standardLoad(target: Target, scale = 1, overrides: Partial<LoadOptions> = {}): LoadOptions {
  const some = (count: number) => Math.max(2, Math.round(count * scale));
  return withDefaults({
    target,
    rate: Math.max(5, 220 * scale),
    sessions: Math.max(10, Math.round(200 * scale)),
    mix: [
      { name: 'balance', weight: 32, method: 'GET', path: '/api/balance', auth: true },
      { name: 'version', weight: 16, method: 'GET', path: '/api/version' },
      { name: 'messages', weight: 14, method: 'GET', path: '/api/messages?since=999999999' },
      { name: 'page', weight: 8, method: 'GET', path: '/' },
      { name: 'history', weight: 4, method: 'GET', path: '/api/messages' },
      { name: 'slow', weight: 2, method: 'GET', path: '/api/slow?ms=2000', slow: true },
      {
        name: 'message',
        weight: 21,
        method: 'POST',
        path: '/api/messages',
        json: { text: 'steady as she goes' },
        auth: true,
        expect: [201],
        eventIdAt: 'message.id',
      },
      { name: 'credits', weight: 2, method: 'POST', path: '/api/credits', json: { amount: 100 }, auth: true },
      {
        name: 'upload',
        weight: 1,
        method: 'POST',
        path: '/api/upload',
        bytes: 1024 * 1024,
        echoesDigest: true,
        auth: true,
        slow: true,
      },
    ],
    firstOfSession: {
      name: 'top-up',
      weight: 0,
      method: 'POST',
      path: '/api/credits',
      json: { amount: 1_000_000 },
      auth: true,
    },
    idle: { users: some(20), gapsMs: [900, 3950, 4000, 4050, 4950, 5000, 5050, 9950, 10_050] },
    ws: { path: '/ws', count: some(20), everyMs: 1000, echo: true },
    sse: { path: '/api/events', count: some(20), contiguous: true },
    ...overrides,
  });
}
