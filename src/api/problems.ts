import { z } from 'zod';
import { formatBytes } from '../lib/format.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { Problem } from './contract/problem.ts';

/** Bytes of a request. */
export const BODY_LIMIT = 4 * 1024 * 1024;

/** Of what anybody may ask, known or not: a name and a password. */
export const OPEN_BODY_LIMIT = 16 * 1024;

type Refusal = ConstructorParameters<typeof EvenkeelError>[0];

/** Anything that was thrown while a request was answered, as an error that can be shown. `home`: of the server. */
export function asRefusal(error: unknown, home: string, bodyLimit = BODY_LIMIT): EvenkeelError {
  if (error instanceof EvenkeelError) return error;
  if (error instanceof z.ZodError) {
    const why = error.issues.map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`).join('; ');
    return new EvenkeelError({ code: 'bad-request', what: 'the request cannot be read', why, cause: error });
  }
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  // What V8 says about text that is no JSON shows a piece of it, and that could be a secret.
  const what =
    error instanceof SyntaxError ? 'the request is not JSON' : error instanceof Error ? error.message : String(error);
  if (status === 413) return new EvenkeelError({ ...tooLarge(bodyLimit), cause: error });
  if (status < 500) return new EvenkeelError({ code: 'bad-request', what, cause: error });
  return new EvenkeelError({
    code: 'unexpected',
    what: 'something unexpected happened in the controller',
    why: what,
    next: `the controller's log tells more: ${home}/logs/controller.log`,
    exit: 2,
    cause: error,
  });
}

/** What went wrong inside, and where the log of it lies, is for whoever sits at the machine. */
export const withoutInternals = (refused: EvenkeelError): EvenkeelError =>
  refused.code === 'unexpected'
    ? new EvenkeelError({
        code: refused.code,
        what: refused.message,
        next: 'try again; whoever runs the server finds in the log of its controller what happened',
        exit: 2,
      })
    : refused;

const tooLarge = (limit: number): Refusal => ({
  code: 'request-too-large',
  what: `the request is larger than the ${formatBytes(limit)} that the controller reads`,
  next: 'send less at once: large values belong into files of the release, not into evenkeel.yaml or a secret',
});

export function problemOf({ code, message, where, why, next, retryable, exit }: EvenkeelError): Problem {
  return {
    type: `urn:evenkeel:problem:${code}`,
    title: message,
    status: statusOf({ code, retryable, exit }),
    ...(why === null ? {} : { detail: why }),
    code,
    where,
    next,
    retryable,
    exit,
  };
}

const STATUS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'host-unknown': 421,
  'request-too-large': 413,
  'too-many-requests': 429,
  'too-many-streams': 429,
  'sign-in-refused': 401,
  'sign-in-stale': 403,
  'session-needed': 403,
  'sign-in-limited': 429,
  'sign-in-outdated': 409,
  'second-factor-exists': 409,
  'last-admin': 409,
  'last-runs-server': 409,
  'foreign-origin': 403,
  'rollout-under-way': 409,
  'idempotency-in-progress': 409,
  'idempotency-key-reused': 422,
  'outcome-unknown': 409,
  unexpected: 500,
  'oidc-refused': 403,
  'email-unverified': 403,
  'oidc-client-refused': 502,
  'issuer-mistaken': 502,
  'issuer-address-refused': 502,
};

function statusOf({ code, retryable, exit }: Pick<EvenkeelError, 'code' | 'retryable' | 'exit'>): number {
  const own = STATUS[code];
  if (own !== undefined) return own;
  if (code.endsWith('-unknown')) return 404;
  if (/-(exists|taken|in-use)$/.test(code)) return 409;
  return retryable ? 503 : exit === 1 ? 400 : 422;
}

/** What is not said to take longer is worth another try by then, s. */
const SOON_S = 1;

/** For `Retry-After`, in whole seconds; null where waiting is not what helps (RFC 9110, 10.2.3). */
export function retryAfterS(status: number, { retryAfterMs }: EvenkeelError): number | null {
  if (status !== 429 && status !== 503) return null;
  return retryAfterMs === null ? SOON_S : Math.max(SOON_S, Math.ceil(retryAfterMs / 1000));
}
