import type { Identity } from '../domain/access/identity.ts';
import { isAbsence } from '../engine/emergency/reads.ts';
import { described, EvenkeelError } from '../ports/errors.ts';
import type { KeyClaim, KnownKey } from '../ports/idempotency-store.ts';
import type { ApiDeps } from './api-deps.ts';
import type { Asked } from './audit.ts';
import { type ChangingId, isRepeatable } from './contract/paths.ts';
import { isHurried } from './hurried.ts';
import { asRefusal } from './problems.ts';

/** How long a call waits for the first one with its key, ms. */
const PATIENCE_MS = 20_000;

/** Carries a call with a key out once; whoever asks the same again gets the first answer, or is told why there is none. */
export type Once = (
  asked: Asked,
  key: string | null,
  input: Record<string, unknown>,
  act: () => Promise<unknown>,
) => Promise<unknown>;

/** As it is kept: what was replied, or how it was refused. */
type Answer = { reply: unknown } | { refusal: ConstructorParameters<typeof EvenkeelError>[0] };

export function onceByKey({ engine, server, hurry }: Pick<ApiDeps, 'engine' | 'server' | 'hurry'>): Once {
  const { store, clock, log, digest, fence } = engine.deps;
  const underWay = new Map<string, { content: string; answer: Promise<unknown> }>();

  return (asked, key, input, act) => {
    if (key === null) return act();
    const name = { who: keeperOf(asked.who), key: digest(key) };
    // By its key, which is kept nowhere: a digest of what is asked alone could be tried out for what a secret is.
    const content = digest(`${key}\n${asked.id}\n${JSON.stringify(sorted(input))}`);
    const id = JSON.stringify(name);
    const first = underWay.get(id);
    if (first !== undefined) {
      if (first.content !== content) return Promise.reject(reused());
      return soon(first.answer).catch(repeat);
    }
    const claim = { ...name, operation: asked.id, content, at: clock.now(), fence };
    const answer = carryOut(asked, claim, act).finally(() => underWay.delete(id));
    underWay.set(id, { content, answer });
    return answer;
  };

  async function carryOut({ id }: Asked, claim: KeyClaim, act: () => Promise<unknown>): Promise<unknown> {
    let claimed: Awaited<ReturnType<typeof store.claimKey>>;
    try {
      claimed = await (isHurried(id) ? hurry(() => store.claimKey(claim)) : store.claimKey(claim));
    } catch (error) {
      // Taking back does not wait for it, and may be asked for twice.
      if (isHurried(id) && isAbsence(error)) return act();
      throw error;
    }
    if (claimed.claimed) return perform(id, claim, act);
    const { known } = claimed;
    if (known.content !== claim.content) throw reused();
    if (known.answer !== null) return again(JSON.parse(known.answer) as Answer);
    // Whoever claimed it is gone: it is not under way here, and no other controller acts.
    if (!isRepeatable(id)) return repeat(outcomeUnknown(known));
    if (await store.takeOverKey(known, fence)) return perform(id, claim, act);
    return repeat(inProgress());
  }

  async function perform(id: ChangingId, held: KeyClaim, act: () => Promise<unknown>): Promise<unknown> {
    let reply: unknown;
    try {
      reply = await act();
    } catch (error) {
      const { code, message, where, why, next, retryable, exit } = asRefusal(error, server.home);
      const refusal = { code, what: message, exit, ...given({ where, why, next }) };
      if (!retryable) await keep(id, held, { refusal });
      else if (code !== 'store-unsure') await kept(id, () => store.releaseKey(held));
      throw error;
    }
    await keep(id, held, { reply });
    return reply;
  }

  function keep(id: ChangingId, held: KeyClaim, answer: Answer): Promise<void> {
    return kept(id, () => store.answerKey(held, JSON.stringify(answer)));
  }

  /** If it was not, it is answered all the same; asked again it will be said that nobody knows. */
  async function kept(id: ChangingId, write: () => Promise<void>): Promise<void> {
    await (isHurried(id) ? hurry(write) : write()).catch((error: unknown) =>
      log.warn({}, `the answer to a call could not be kept for its repetition: ${described(error)}`),
    );
  }

  async function soon(answer: Promise<unknown>): Promise<unknown> {
    const enough = new AbortController();
    const late = clock.sleep(PATIENCE_MS, enough.signal).then((): never => {
      throw inProgress();
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      enough.abort();
      late.catch(() => undefined);
    }
  }
}

function again(answer: Answer): unknown {
  return 'reply' in answer ? answer.reply : repeat(new EvenkeelError(answer.refusal));
}

/**
 * Whose keys are whose. Not by names: two people may call their tokens alike, and a name that was given up may be
 * somebody else's one day.
 */
function keeperOf(who: Identity): string {
  switch (who.kind) {
    case 'local':
    case 'anonymous':
      return `${who.kind}:${who.name}`;
    case 'user':
    case 'token':
      return `${who.kind}:${who.id}`;
    case 'bearer':
      return `bearer:${JSON.stringify([who.issuer, who.subject])}`;
  }
}

const repeated = new WeakSet<object>();

/** Whether an error only tells what became of a call that was made before. */
export const isRepeated = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && repeated.has(error);

function repeat(error: unknown): never {
  if (typeof error === 'object' && error !== null) repeated.add(error);
  throw error;
}

/** The same, whatever the order in which it was written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, part]) => [name, sorted(part)]);
}

function given(texts: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter((each): each is [string, string] => each[1] !== null));
}

/** Null without one. Throws `bad-request` for what is no key. */
export function keyIn(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,200}$/.test(header)) return header;
  throw new EvenkeelError({
    code: 'bad-request',
    what: 'the request cannot be read',
    why: 'Idempotency-Key: 1 to 200 visible characters of ASCII, such as a UUID',
  });
}

const reused = (): EvenkeelError =>
  new EvenkeelError({
    code: 'idempotency-key-reused',
    what: 'this key was used for another call; nothing was done',
    why: 'one Idempotency-Key belongs to one call, with the same content whenever it is repeated',
    next: 'use a new key for a new call',
  });

const inProgress = (): EvenkeelError =>
  new EvenkeelError({
    code: 'idempotency-in-progress',
    what: 'the first call with this key is still under way',
    next: 'ask again with the same key',
    retryable: true,
    exit: 2,
  });

const outcomeUnknown = ({ operation }: KnownKey): EvenkeelError =>
  new EvenkeelError({
    code: 'outcome-unknown',
    what: `nobody knows whether ${operation} was carried out: the controller ended in the midst of it`,
    why: 'it is not begun a second time by itself',
    next: 'look with `evenkeel status` and `evenkeel rollouts`; if it was not, type it again',
    exit: 2,
  });
