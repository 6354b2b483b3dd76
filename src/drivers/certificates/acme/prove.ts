import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { CertificateId, ChallengeType } from '../../../domain/certificate/acme.ts';
import type { Challenge, ChallengeCommand } from '../../../domain/traffic/challenges.ts';
import { IssueError } from '../../../ports/certificates.ts';
import type { IssueOptions } from '../../../ports/certificates.ts';
import { waitFor } from './client.ts';
import type { AcmeClient } from './client.ts';
import { problemSchema, refused } from './failure.ts';
import { keyText, newKey } from './files.ts';
import { keyAuthorization } from './jose.ts';
import { challengeCertificate } from './requests.ts';

/** Has the edge answer challenges; rejects when it does not take them. */
export type AnswerChallenges = (change: ChallengeCommand) => Promise<void>;

const challengeSchema = z.object({
  type: z.string(),
  url: z.string(),
  token: z.string().default(''),
  status: z.string(),
  error: problemSchema.optional(),
});

const authorizationSchema = z.object({
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  challenges: z.array(challengeSchema),
});
type Authorization = z.infer<typeof authorizationSchema>;

/** For the issuer to ask from wherever it asks. */
const PATIENCE_MS = 180_000;
/** Longer than anybody looks: should nobody take the answer back, it is forgotten. */
const ANSWERED_MS = 3_600_000;

export interface Proof {
  client: AcmeClient;
  key: KeyObject;
  id: CertificateId;
  how: IssueOptions;
  answer: AnswerChallenges;
}

/** Proves that a host is ours; answers by what, or null when the issuer knew it already. */
export async function prove(proof: Proof, url: string): Promise<ChallengeType | null> {
  const { how, id } = proof;
  const authorization = await read(proof, url);
  if (authorization.status === 'valid') return null;
  if (authorization.status !== 'pending') throw notProven(proof, authorization, null);
  const offered = authorization.challenges.map(({ type }) => type);
  const choice = how.choose(offered);
  const challenge = authorization.challenges.find(({ type }) => type === choice.type);
  if (choice.type === null || challenge === undefined)
    throw new IssueError({
      code: 'no-challenge',
      what: `there is no way to prove that ${id.host} is ours`,
      why: choice.reason,
      next: 'let the environment have routes, and `tls.acme.challenge` fit what the issuer offers',
      retryable: true,
    });
  const given = toEdge(proof, choice.type, challenge.token);
  await proof.answer({ add: [given], remove: [] });
  how.tell(`the edge answers ${choice.type}: ${choice.reason}`);
  if (challenge.status === 'pending') await invite(proof, url, { type: choice.type, url: challenge.url });
  try {
    await untilProven(proof, url, choice.type);
  } finally {
    // Whoever is stopped before goes on later, with the same answer.
    if (!how.signal.aborted) await proof.answer({ add: [], remove: [given.token] }).catch(() => undefined);
  }
  return choice.type;
}

/** Has the issuer look. One that was asked to before, by a controller that did not live to see it, may refuse to be asked again. */
async function invite(proof: Proof, authorization: string, challenge: { type: string; url: string }): Promise<void> {
  const about = { host: proof.id.host, step: `the challenge ${challenge.type}` };
  await proof.client.post(challenge.url, {}, about).catch(async (error: unknown) => {
    const { status, challenges } = await read(proof, authorization);
    const looks = challenges.some(({ type, status }) => type === challenge.type && status !== 'pending');
    if (status === 'pending' && !looks) throw error;
  });
}

async function untilProven(proof: Proof, url: string, type: ChallengeType): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const authorization = await read(proof, url);
    if (authorization.status === 'valid') return;
    if (authorization.status !== 'pending') throw notProven(proof, authorization, type);
    if (Date.now() > deadline)
      throw new IssueError({
        code: 'issuer-slow',
        what: `the issuer has not looked at ${type} of ${proof.id.host} yet`,
        challenge: type,
        retryable: true,
      });
    await sleep(waitFor(authorization), undefined, { signal: proof.how.signal });
  }
}

async function read({ client, id }: Proof, url: string): Promise<Authorization & { retryAfter: number | null }> {
  const step = 'a look at the authorization';
  const { value, retryAfter } = await client.read(url, null, authorizationSchema, { host: id.host, step });
  return { ...value, retryAfter };
}

function notProven({ id }: Proof, { challenges, status }: Authorization, type: ChallengeType | null): IssueError {
  const failed = challenges.find(({ error }) => error !== undefined);
  const problem = failed?.error ?? { type: 'invalid', detail: `the authorization is ${status}` };
  return refused(problem, { host: id.host, challenge: type, step: `to believe ${type ?? 'a challenge'}` });
}

function toEdge({ key, id }: Proof, type: ChallengeType, token: string): Challenge {
  const answer = keyAuthorization(token, key);
  const now = Date.now();
  const common = { host: id.host, token, until: now + ANSWERED_MS };
  if (type === 'http-01') return { type, ...common, answer };
  const certificateKey = newKey();
  const cert = challengeCertificate({ host: id.host, keyAuthorization: answer, now }, certificateKey);
  return { type, ...common, certificate: { cert, key: keyText(certificateKey) } };
}
