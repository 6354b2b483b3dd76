import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type Identity, NOBODY } from '../domain/access/identity.ts';
import { isAbsence } from '../engine/emergency/reads.ts';
import type { Caller } from '../engine/access/deps.ts';
import { recogniseCookie, recogniseToken } from '../engine/access/recognise.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { Session } from '../ports/sign-in-store.ts';
import { addressOf } from './address.ts';
import type { ApiDeps } from './api-deps.ts';
import { bearerIn } from './bearer.ts';
import { PERSON_HEADER } from './contract/headers.ts';
import { isFromWeb } from './doors.ts';
import type { SessionCookie } from './session-cookie.ts';

/** Who asks, and by what that is known. */
export interface Recognised {
  readonly who: Identity;
  /** Null: no cookie of a session that lives. */
  readonly session: Session | null;
  readonly caller: Caller;
}

/** So long is somebody known while the store cannot be asked, ms: they may have to take a release back just then. */
const REMEMBERED_MS = 10 * 60_000;
const MOST_REMEMBERED = 1_000;

export interface Identifier {
  (request: FastifyRequest): Promise<Recognised>;
  /** Somebody may do less than before, or nobody knows them any more: what was known of them is worth nothing. */
  forget(): void;
}

/**
 * Answers who asks. Over the server's own socket that is whoever has the token of its folder; over TCP, whoever has a
 * session or an API token. `nobody` for whoever brings nothing; throws EvenkeelError `unauthorized` for what counts for
 * nothing, except for a cookie: it may just be old.
 */
export function identifier(
  deps: Pick<ApiDeps, 'token' | 'access' | 'recogniseJwt' | 'engine' | 'door'>,
  cookies: SessionCookie,
): Identifier {
  const remembered = new Map<string, { at: number; known: Pick<Recognised, 'who' | 'session'> }>();
  let forgotten = 0;
  const now = (): number => deps.engine.deps.clock.now();

  const identify = async (request: FastifyRequest): Promise<Recognised> => {
    const { headers, raw } = request;
    const web = isFromWeb(raw);
    const cookie = web ? cookies.read(headers.cookie) : null;
    const caller: Caller = { address: addressOf(raw, deps.door.trusts), agent: headers['user-agent'] ?? null, cookie };
    const bearer = bearerIn(request);
    if (!web && bearer !== null && isLocal(bearer, deps.token))
      return { who: { kind: 'local', name: personOf(headers[PERSON_HEADER]) }, session: null, caller };
    if (bearer !== null) {
      const known = await remembering(bearer, () => ofBearer(bearer, caller));
      if (known === null) throw web ? unknownToken() : wrongToken();
      return { ...known, caller };
    }
    if (!web) throw wrongToken();
    const known = cookie === null ? null : await remembering(cookie, () => ofCookie(cookie));
    return { ...(known ?? { who: NOBODY, session: null }), caller };
  };
  return Object.assign(identify, {
    forget() {
      forgotten++;
      remembered.clear();
    },
  });

  async function ofCookie(cookie: string): Promise<Pick<Recognised, 'who' | 'session'> | null> {
    return recogniseCookie(await deps.access(), cookie);
  }

  async function ofBearer(text: string, { address }: Caller): Promise<Pick<Recognised, 'who' | 'session'> | null> {
    const who = text.startsWith('ey')
      ? ((await deps.recogniseJwt?.(text)) ?? null)
      : await recogniseToken(await deps.access(), text, address);
    return who === null ? null : { who, session: null };
  }

  async function remembering(
    key: string,
    ask: () => Promise<Pick<Recognised, 'who' | 'session'> | null>,
  ): Promise<Pick<Recognised, 'who' | 'session'> | null> {
    const hash = deps.engine.deps.digest(key);
    const since = forgotten;
    try {
      const known = await ask();
      remembered.delete(hash);
      // What was read before somebody was shut out is not learned after it.
      if (known !== null && since === forgotten) remembered.set(hash, { at: now(), known });
      const [oldest] = remembered.keys();
      if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
      return known;
    } catch (error) {
      const last = remembered.get(hash);
      if (!isAbsence(error) || last === undefined || now() - last.at > REMEMBERED_MS) throw error;
      return last.known;
    }
  }
}

function isLocal(given: string, token: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function personOf(header: string | string[] | undefined): string {
  if (typeof header !== 'string') return 'operator';
  try {
    return decodeURIComponent(header).slice(0, 200) || 'operator';
  } catch {
    return header.slice(0, 200);
  }
}

/** For whatever needs somebody. */
export const notSignedIn = (): EvenkeelError =>
  new EvenkeelError({ code: 'unauthorized', what: 'you are not signed in', next: 'sign in' });

const unknownToken = (): EvenkeelError =>
  new EvenkeelError({
    code: 'unauthorized',
    what: 'this token lets nobody in',
    why: 'it was never made here, has expired, or was revoked',
    next: 'make a new one: evenkeel tokens create',
  });

const wrongToken = (): EvenkeelError =>
  new EvenkeelError({
    code: 'unauthorized',
    what: 'the controller does not know you',
    why: 'the token of the request is missing or wrong',
    next: 'run evenkeel as the user who started it, with the same EVENKEEL_HOME',
  });
