import type * as Jose from 'jose';
import type { BearerIssuer } from '../../../domain/access/elsewhere.ts';
import { guardedFetch } from '../../../platform/guarded-fetch.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { TokenVerifier } from '../../../ports/openid.ts';
import { type Ask, discover, DISCOVERED } from './discover.ts';
import { failureOf } from './failure.ts';
import { type Keeping, remembered } from './remembered.ts';

/** Whoever verifies with these holds nothing that signs: with a shared secret every service that checks could make tokens. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** What a token is called that is made for being shown; others (of a logout, of a proof) are signed by the same key. */
const TYPES = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt']);

/** How far clocks may be apart, s. */
const CLOCK_TOLERANCE = 10;

/** No honest token is larger, and heads of requests end at 16 KiB. */
const MAX_CHARACTERS = 12_000;

/** How often keys are asked for, ms. */
const KEYS = {
  /** Again after this, so that a key that was taken away does not count for long. */
  goodMs: 600_000,
  /** For a key that is not among them, at most this often, whatever tokens name. */
  cooldownMs: 30_000,
  badMs: 5_000,
};

export interface VerifierOptions {
  readonly issuers: readonly BearerIssuer[];
  /** Wall clock, ms. */
  now(): number;
  /** For tests. */
  readonly keys?: Readonly<typeof KEYS>;
}

/** Verifies JWTs with jose, which is loaded with the first of them. */
export function tokenVerifier({ issuers, now, keys = KEYS }: VerifierOptions): TokenVerifier {
  const known = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keySet: keySetOf(issuer, keys) }]));
  return {
    async verify(text) {
      if (known.size === 0 || !looksLikeJwt(text)) return null;
      const jose = await import('jose');
      const found = known.get(issuerIn(text, jose) ?? '');
      if (found === undefined) return null;
      const { issuer } = found;
      try {
        const keySet = await found.keySet();
        const { payload, protectedHeader } = await jose.jwtVerify(text, keySet, {
          issuer: issuer.issuer,
          audience: [...issuer.audience],
          algorithms: ALGORITHMS,
          requiredClaims: ['exp', 'sub'],
          clockTolerance: CLOCK_TOLERANCE,
          currentDate: new Date(now()),
        });
        if (!TYPES.has(protectedHeader.typ?.toLowerCase())) throw refused(issuer, `it is a ${protectedHeader.typ}`);
        // It counts only together with a proof that whoever shows it has the key, and that is not looked at here.
        if (payload['cnf'] !== undefined) throw refused(issuer, 'it is bound to a key');
        if (typeof payload.sub !== 'string' || payload.sub === '') throw refused(issuer, 'it names nobody (sub)');
        return { issuer, claims: payload };
      } catch (error) {
        throw error instanceof jose.errors.JOSEError ? verdictOn(error, issuer) : failureOf(error, issuer);
      }
    },
  };
}

const looksLikeJwt = (text: string): boolean =>
  text.length <= MAX_CHARACTERS && /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(text);

/** Whom the token says it is from. Not believed yet. */
function issuerIn(text: string, jose: typeof Jose): string | null {
  try {
    return jose.decodeJwt(text).iss ?? null;
  } catch {
    return null;
  }
}

function keySetOf(issuer: BearerIssuer, keys: Readonly<typeof KEYS>): () => Promise<Jose.JWTVerifyGetKey> {
  const ask = guardedFetch({ named: [issuer.issuer, ...(issuer.keys === null ? [] : [issuer.keys])], ca: issuer.ca });
  const address = async (): Promise<string> => {
    if (issuer.keys !== null) return issuer.keys;
    const found = (await discover(issuer, { id: 'evenkeel', secret: null }, ask)).serverMetadata().jwks_uri;
    if (found === undefined) throw new TypeError('the issuer does not say where its keys are');
    return found;
  };
  const make = async (): Promise<Jose.JWTVerifyGetKey> => {
    const jose = await import('jose');
    return jose.createRemoteJWKSet(new URL(await address()), {
      cooldownDuration: keys.cooldownMs,
      cacheMaxAge: keys.goodMs,
      [jose.customFetch]: notAgainAtOnce(ask, keys.badMs),
    });
  };
  const keeping: Keeping = { goodMs: DISCOVERED.goodMs, badMs: keys.badMs };
  return remembered(make, keeping, () => performance.now());
}

type KeyFetch = (url: string, ask: { headers: Headers; method: string; signal: AbortSignal }) => Promise<Response>;

/** Whom a failure was told a moment ago is told it again. */
function notAgainAtOnce(ask: Ask, badMs: number): KeyFetch {
  let failed: { readonly why: Error; readonly at: number } | null = null;
  return async (url, options) => {
    if (failed !== null && performance.now() - failed.at < badMs) throw failed.why;
    try {
      const answer = await ask(url, options);
      if (answer.status !== 200) throw new Error(`it answers with ${answer.status}`);
      failed = null;
      return answer;
    } catch (error) {
      failed = { why: error instanceof Error ? error : new Error(String(error)), at: performance.now() };
      throw error;
    }
  };
}

interface Judged extends Error {
  readonly code: string;
  readonly claim?: unknown;
}

/** What is wrong with the token, for whoever made it. */
function verdictOn(error: Judged, issuer: BearerIssuer): EvenkeelError {
  switch (error.code) {
    case 'ERR_JWT_EXPIRED':
      return refused(issuer, 'it has expired', 'get a new one from its issuer', error);
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return refused(issuer, whyOf(String(error.claim)), undefined, error);
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
      return refused(issuer, 'it is signed by a method that does not count here', undefined, error);
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return refused(issuer, 'its signature is wrong', undefined, error);
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return refused(
        issuer,
        'it is signed with a key that its issuer does not name',
        'a new key is looked for within half a minute',
        error,
      );
    case 'ERR_JWKS_TIMEOUT':
    case 'ERR_JOSE_GENERIC':
    case 'ERR_JWKS_INVALID':
      return failureOf(error, issuer);
    default:
      return refused(issuer, 'it cannot be read', undefined, error);
  }
}

function whyOf(claim: string): string {
  if (claim === 'aud') return 'it is made for somebody else (aud)';
  if (claim === 'nbf') return 'it does not count yet (nbf)';
  return ['exp', 'sub', 'iss', 'iat'].includes(claim) ? `its ${claim} is missing or wrong` : 'what it says is wrong';
}

function refused(issuer: BearerIssuer, why: string, next?: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError({
    code: 'unauthorized',
    what: `the token of ${issuer.id} does not count`,
    why,
    next: next ?? `compare it with what sign-in.yaml says of ${issuer.id}`,
    cause,
  });
}
