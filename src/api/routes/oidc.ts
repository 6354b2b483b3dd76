import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SESSION_RULE } from '../../domain/access/sessions.ts';
import type { Caller } from '../../engine/access/deps.ts';
import { OIDC_ROUND_MS, type OidcOutcome, type OidcSignIn } from '../../engine/access/oidc.ts';
import type { SignedIn } from '../../engine/access/sign-in.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { cookieIn } from '../cookie-in.ts';
import { asRefusal, problemOf, withoutInternals } from '../problems.ts';
import { failurePage, PAGE_HEADERS, PAGE_STYLE, STYLE_URL } from '../sign-in-page.ts';
import { OPEN } from './health.ts';

export interface OidcRoutes {
  /** Loaded with the first who signs in that way. */
  oidc(): Promise<OidcSignIn>;
  caller(request: FastifyRequest): Caller;
  /** Sets the cookie of the session. */
  opened(reply: FastifyReply, signedIn: SignedIn, lasts: { absoluteMs: number }): void;
  /** Before the reply: for the audit. A sign-in that cannot be written down does not happen silently. */
  told(request: FastifyRequest, provider: string, came: OidcOutcome | EvenkeelError): Promise<void>;
  /** Where people reach the dashboard. */
  publicUrl: string;
  log: { error(details: object, message: string): void };
  home: string;
}

interface Named {
  Params: { provider: string };
}

/**
 * Signing in elsewhere: these are pages that a browser goes to, and no operations. What goes wrong is said on a page, too.
 * The cookie of the round is Lax, for the provider sends people back from another site; that of a session is Strict, and is
 * first sent by the dashboard's own requests, which follow.
 */
export function oidcRoutes(api: FastifyInstance, deps: OidcRoutes): void {
  const cookie = roundCookie(deps.publicUrl);

  api.get(STYLE_URL, { ...OPEN, exposeHeadRoute: false }, async (_request, reply) =>
    reply
      .headers({ 'content-type': 'text/css; charset=utf-8', 'cache-control': 'public, max-age=3600' })
      .send(PAGE_STYLE),
  );

  api.get<Named>('/sign-in/oidc/:provider', { ...OPEN, exposeHeadRoute: false }, async (request, reply) => {
    try {
      const link = isLink(request);
      const { url, kept } = await (await deps.oidc()).begin(request.params.provider, { link }, deps.caller(request));
      reply.header('set-cookie', cookie.set(kept));
      return await reply.headers(GOING_ON).redirect(url, 303);
    } catch (error) {
      return sayWhy(reply, error);
    }
  });

  api.get<Named>('/sign-in/oidc/:provider/callback', { ...OPEN, exposeHeadRoute: false }, async (request, reply) => {
    const { provider } = request.params;
    reply.header('set-cookie', cookie.clear);
    try {
      const query = request.url.split('?')[1] ?? '';
      const answer = { query, kept: cookie.read(request.headers.cookie) };
      const outcome = await (await deps.oidc()).finish(provider, answer, deps.caller(request));
      await deps.told(request, provider, outcome);
      if (outcome.as === 'signed-in') deps.opened(reply, outcome.signedIn, SESSION_RULE);
      return await reply.headers(GOING_ON).redirect(outcome.as === 'signed-in' ? '/' : '/settings', 303);
    } catch (error) {
      await deps.told(request, provider, asRefusal(error, deps.home)).catch(() => undefined);
      return sayWhy(reply, error);
    }
  });

  function sayWhy(reply: FastifyReply, error: unknown): FastifyReply {
    const refused = asRefusal(error, deps.home);
    const { code, message, why, where, exit } = refused;
    // What whoever runs the server has to mend, they find with its details in the log, and not those who sign in.
    if (exit === 2) deps.log.error({ code, where, why, next: refused.next }, message);
    const shown = withoutInternals(refused);
    return reply
      .status(problemOf(refused).status)
      .headers(PAGE_HEADERS)
      .send(failurePage({ what: message, why: shown.why, next: shown.next, code }));
  }
}

const GOING_ON = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };

/** Only a page of the dashboard asks to link an account: nobody's account gets linked by a page of another site. */
function isLink({ url, headers }: FastifyRequest): boolean {
  if (!new URLSearchParams(url.split('?')[1] ?? '').has('link')) return false;
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return true;
  throw new EvenkeelError({
    code: 'foreign-origin',
    what: 'A page of another site wants to link an account to yours.',
    next: 'Link accounts in the settings of the dashboard.',
  });
}

/** With https only this very host can set it, so that nobody begins a round for somebody else. */
function roundCookie(publicUrl: string) {
  const secure = publicUrl.startsWith('https:');
  const name = secure ? '__Host-evenkeel-oidc' : 'evenkeel-oidc';
  const rest = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return {
    set: (value: string): string => `${name}=${value}; ${rest}; Max-Age=${OIDC_ROUND_MS / 1_000}`,
    clear: `${name}=; ${rest}; Max-Age=0`,
    read: (header: string | undefined): string | null => cookieIn(header, name),
  };
}
