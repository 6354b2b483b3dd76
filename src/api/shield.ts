import type { FastifyInstance, FastifyRequest } from 'fastify';
import { humanOf, type Identity } from '../domain/access/identity.ts';
import { clientKey } from '../domain/traffic/address.ts';
import { RateLimiter } from '../domain/traffic/rate-limiter.ts';
import { EvenkeelError } from '../ports/errors.ts';
import { bearerIn } from './bearer.ts';
import { type Door, isFromWeb } from './doors.ts';
import { isOwnHost, misdirected } from './own-host.ts';
import { DATA_HEADERS } from './shield-headers.ts';

/** What a page with a few tiles asks when it is opened, many times over; and what nobody at a keyboard reaches. */
const OF_ONE = { requests: 50, perMs: 1_000, burst: 300 };
/** A page of the dashboard holds one. */
const STREAMS_OF_ONE = 300;
/** Offices share an address. */
const OF_ADDRESS = { requests: 200, perMs: 1_000, burst: 1_000 };

export interface Shield {
  /** Monotonic, ms. */
  readonly elapsed: () => number;
  /** Of the client; see address.ts. */
  readonly addressOf: (request: FastifyRequest) => string;
  readonly door: Door;
}

/** What may be asked by any name: it is nobody's, and those who look after machines call them as they like. */
const ANY_HOST: ReadonlySet<string> = new Set(['/livez', '/readyz', '/openapi.json']);

/**
 * What stands before the API where others than commands come in: how often one address may ask, and what browsers are
 * told.
 */
export function shieldWeb(api: FastifyInstance, { elapsed, addressOf, door }: Shield): void {
  const asks = new RateLimiter(OF_ADDRESS);
  api.addHook('onRequest', async (request) => {
    if (!isFromWeb(request.raw)) return;
    const waitMs = asks.take(clientKey(addressOf(request)), elapsed());
    if (waitMs > 0) throw tooMany(waitMs, 'from this address');
    // Whoever proves with each request who they are is no browser that was led here.
    const named = bearerIn(request) !== null || ANY_HOST.has(request.routeOptions.url ?? '');
    if (!named && !isOwnHost(request.headers.host, door.hosts)) throw misdirected(request.headers.host);
    requireOwnOrigin(request, door.publicOrigin);
  });
  api.addHook('onSend', async (request, reply) => {
    if (!isFromWeb(request.raw)) return;
    for (const [name, value] of Object.entries(DATA_HEADERS)) if (!reply.hasHeader(name)) reply.header(name, value);
  });
}

/**
 * Browsers say by themselves from where a page asks, and pages cannot change it. Another site may not change anything
 * with the cookie of somebody who is signed in here; programs, which have no cookies, say nothing of the kind.
 */
function requireOwnOrigin({ method, headers }: FastifyRequest, publicOrigin: string | null): void {
  if (method === 'GET' || method === 'HEAD') return;
  const site = headers['sec-fetch-site'];
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  // A proxy may have asked by another name than people do.
  const own = headers.origin === publicOrigin || isOwn(headers.origin, headers.host);
  if (!foreign && own) return;
  throw new EvenkeelError({
    code: 'foreign-origin',
    what: 'this was asked by a page of another site',
    why: `its origin is ${headers.origin ?? 'not told'}, and this is ${headers.host ?? 'not named'}`,
    next: 'open the dashboard at its own address',
  });
}

function isOwn(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false; // `null`, of a page that hides where it is from
  }
}

/** One human being, one of their tokens, or an address of which nobody is known. */
function keyOf(who: Identity, address: string): [key: string, whose: string] {
  if (who.kind === 'anonymous') return [`address:${clientKey(address)}`, 'from this address'];
  return who.kind === 'token' ? [`token:${who.id}`, 'with this token'] : [humanOf(who), 'of yours'];
}

/** How many streams of events one of those may have open at once. Throws `too-many-streams`; the result ends one. */
export function limitStreams(most = STREAMS_OF_ONE): (who: Identity, address: string) => () => void {
  const open = new Map<string, number>();
  return (who, address) => {
    const [key, whose] = keyOf(who, address);
    const now = open.get(key) ?? 0;
    if (now >= most)
      throw new EvenkeelError({
        code: 'too-many-streams',
        what: `there are ${now} streams ${whose} open already`,
        next: 'close some: pages of the dashboard that nobody looks at, or `--follow` of a program',
        retryable: true,
      });
    open.set(key, now + 1);
    return () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    };
  };
}

/** How often one of those may ask. Throws `too-many-requests`. */
export function limitIdentities(elapsed: () => number): (who: Identity, address: string) => void {
  const asks = new RateLimiter(OF_ONE);
  return (who, address) => {
    const [key, whose] = keyOf(who, address);
    const waitMs = asks.take(key, elapsed());
    if (waitMs > 0) throw tooMany(waitMs, whose);
  };
}

const tooMany = (waitMs: number, whose: string): EvenkeelError =>
  new EvenkeelError({
    code: 'too-many-requests',
    what: `there were too many requests ${whose}`,
    next: `try again in ${Math.ceil(waitMs / 1000)} s`,
    retryable: true,
    retryAfterMs: waitMs,
  });
