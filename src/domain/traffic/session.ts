import { hash53 } from '../../lib/hash.ts';

/** Name of the session cookie. Its value is random and names no release. */
export const SESSION_COOKIE = '__evenkeel';

/** Header by which evenkeel's own probes prove themselves; never passed on. */
export const PROBE_HEADER = 'evenkeel-probe';

/** Header of a probe's reply: the release that answered. */
export const RELEASE_HEADER = 'evenkeel-release';

/** 128 bits as base64url without padding. The last of 22 characters carries two bits, hence AQgw alone. */
const SESSION_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** The session id in a `Cookie` header, or null when there is none or it is malformed (it is replaced then). */
export function readSession(cookieHeader: string | undefined): string | null {
  if (cookieHeader === undefined) return null;
  let at = cookieHeader.indexOf(SESSION_COOKIE);
  while (at >= 0) {
    const before = at === 0 ? ';' : cookieHeader.charAt(at - 1);
    const valueAt = at + SESSION_COOKIE.length + 1;
    if ((before === ';' || before === ' ') && cookieHeader.charAt(valueAt - 1) === '=') {
      const end = cookieHeader.indexOf(';', valueAt);
      const value = cookieHeader.slice(valueAt, end < 0 ? undefined : end).trim();
      return SESSION_ID.test(value) ? value : null;
    }
    at = cookieHeader.indexOf(SESSION_COOKIE, valueAt);
  }
  return null;
}

/** A `Cookie` header without the session cookie, which applications need not see; null when nothing is left. */
export function withoutSession(cookieHeader: string): string | null {
  if (!cookieHeader.includes(SESSION_COOKIE)) return cookieHeader;
  const rest = cookieHeader.split(';').filter((pair) => !pair.trimStart().startsWith(`${SESSION_COOKIE}=`));
  return rest.length === 0 ? null : rest.join(';').trim();
}

/** The `Set-Cookie` value that gives a session its id. It ends with the browser session. */
export const sessionCookie = (session: string, secure: boolean): string =>
  `${SESSION_COOKIE}=${session}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;

/** The hash that owns a session in a rollout unit: the same for every service of the unit and on every edge. */
export const sessionHash = (session: string, unit: string): number => hash53(`${unit}\n${session}`);

/**
 * Whether caches shared by several people may keep a reply. A cookie on such a reply would be handed to all of them.
 */
export function isPubliclyCacheable(cacheControl: string | undefined): boolean {
  if (cacheControl === undefined) return false;
  const value = cacheControl.toLowerCase();
  if (value.includes('private') || value.includes('no-store')) return false;
  return value.includes('public') || value.includes('s-maxage');
}
