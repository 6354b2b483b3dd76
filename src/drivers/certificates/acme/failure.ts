import { z } from 'zod';
import type { ChallengeType } from '../../../domain/certificate/acme.ts';
import { IssueError } from '../../../ports/certificates.ts';
import type { HttpsReply } from './https.ts';

/** What an issuer says when it refuses (RFC 7807), as far as it is used. */
export const problemSchema = z.object({
  type: z.string().default('about:blank'),
  detail: z.string().default(''),
  subproblems: z.array(z.object({ detail: z.string().default('') })).optional(),
});
export type AcmeProblem = z.infer<typeof problemSchema>;

const PREFIX = 'urn:ietf:params:acme:error:';
/** What somebody else wrote is cut to this, and to one line. */
const LONGEST = 400;

export const problemType = ({ type }: AcmeProblem): string =>
  type.startsWith(PREFIX) ? type.slice(PREFIX.length) : type;

/** The problem in a reply; an error page of a proxy before the issuer is one, too. */
export function problemOf({ status, text }: Pick<HttpsReply, 'status' | 'text'>): AcmeProblem {
  try {
    return problemSchema.parse(JSON.parse(text));
  } catch {
    return { type: 'about:blank', detail: `it answered with status ${status}` };
  }
}

/** Seconds or a date; wall time, ms. Null: it says nothing that can be read. */
export function retryAfterOf(headers: HttpsReply['headers'], now: number): number | null {
  const value = headers['retry-after'];
  if (value === undefined) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  const at = Number.isNaN(seconds) ? Date.parse(value) : now + seconds * 1_000;
  return Number.isFinite(at) ? at : null;
}

/** What helps, by the kind of refusal. */
const NEXT: Readonly<Record<string, (host: string, challenge: ChallengeType | null) => string>> = {
  connection: reach,
  unauthorized: reach,
  tls: reach,
  incorrectResponse: reach,
  dns: (host) => `let ${host} lead to this machine (an A or AAAA record), then evenkeel up`,
  caa: (host) => `let a CAA record of ${host} name the issuer, or take the records away`,
  rejectedIdentifier: (host) => `take another name than ${host}, or another \`directory\``,
  unsupportedIdentifier: (host) => `take another name than ${host}, or another \`directory\``,
  rateLimited: () => 'to try things out take `directory: staging`, whose limits are far higher',
  externalAccountRequired: () => 'choose a `directory` that takes accounts without a registration elsewhere',
  invalidContact: () => 'correct `tls.acme.email` in evenkeel.yaml',
  unsupportedContact: () => 'correct `tls.acme.email` in evenkeel.yaml',
  userActionRequired: () => 'look at what the issuer says; there may be new terms to agree to',
};

function reach(host: string, challenge: ChallengeType | null): string {
  const port = challenge === 'tls-alpn-01' ? 443 : 80;
  return `see that ${host} leads to this machine and that port ${port} of it is let through to the edge, then evenkeel up`;
}

/** An answer that is a refusal. */
export function refused(
  problem: AcmeProblem,
  about: { host: string; challenge?: ChallengeType | null; retryAfter?: number | null; step: string },
): IssueError {
  const type = problemType(problem);
  const details = [problem.detail, ...(problem.subproblems ?? []).map(({ detail }) => detail)].filter(Boolean);
  const challenge = about.challenge ?? null;
  const next = NEXT[type]?.(about.host, challenge);
  return new IssueError({
    code: 'certificate-refused',
    what: `the issuer refuses ${about.step} for ${about.host}`,
    why: oneLine(`${details.join('; ')} (${type})`),
    ...(next === undefined ? {} : { next }),
    retryable: true,
    retryAfter: about.retryAfter ?? null,
    challenge,
    problem: type,
  });
}

/** No answer, or none that can be read. */
export function unreachable(url: string, cause: unknown): IssueError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new IssueError({
    code: 'issuer-unreachable',
    what: `the issuer does not answer`,
    where: new URL(url).host,
    why: oneLine(message === '' ? (code ?? 'unknown') : message),
    next: nextFor(code ?? ''),
    retryable: true,
    cause,
  });
}

/** It answers, and wants to be asked later. */
export function busy(url: string, reply: Pick<HttpsReply, 'status' | 'text'>, retryAfter: number | null): IssueError {
  return new IssueError({
    code: 'issuer-busy',
    what: 'the issuer cannot be used now',
    where: new URL(url).host,
    why: oneLine(problemOf(reply).detail),
    retryable: true,
    retryAfter,
  });
}

function nextFor(code: string): string {
  if (/CERT|SIGNATURE|ISSUER/.test(code))
    return 'give the file of what it is trusted by as `tls.acme.ca` in evenkeel.yaml';
  return 'see that this machine may connect to the issuer';
}

export function nonsense(url: string, what: string): IssueError {
  return new IssueError({
    code: 'issuer-unreadable',
    what: `the issuer's answer cannot be read: ${what}`,
    where: new URL(url).host,
    next: 'see that `tls.acme.directory` is the URL of an ACME directory (RFC 8555)',
    retryable: true,
  });
}

const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST);

export function caUnreadable(path: string, cause: unknown): IssueError {
  return new IssueError({
    code: 'certificate-ca',
    what: 'the file of what the issuer is trusted by cannot be read',
    where: path,
    why: (cause as NodeJS.ErrnoException).code ?? String(cause),
    next: 'correct `tls.acme.ca` in evenkeel.yaml, or let the user that evenkeel runs as read it',
    retryable: true,
    cause,
  });
}
