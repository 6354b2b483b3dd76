import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { join } from 'node:path';
import { z } from 'zod';
import { challengeCommandSchema, challengeSchema } from '../../domain/traffic/challenges.ts';
import type { Challenge, ChallengeReply } from '../../domain/traffic/challenges.ts';
import type { EdgeLog } from '../log.ts';
import { SECURITY } from '../tls/security.ts';
import { readWhole, writeWhole } from '../state/durable-file.ts';

/** Far more than are ever asked at once. */
const MOST = 200;

const fileSchema = z.array(challengeSchema);

/**
 * What is answered to whoever issues certificates. Only what the controller gave is ever answered, from memory; the file
 * is for the next edge process, which takes over in the midst of it.
 */
export class Challenges {
  readonly #path: string;
  readonly #log: EdgeLog;
  readonly #now: () => number;
  #known = new Map<string, Challenge>();
  #contexts = new Map<string, SecureContext>();

  constructor(folder: string, log: EdgeLog, now: () => number = Date.now) {
    this.#path = join(folder, 'challenges');
    this.#log = log;
    this.#now = now;
  }

  /** Reads what the process before answered. */
  restore(): void {
    const file = readWhole(this.#path);
    if (file.state !== 'whole') return;
    try {
      this.#set(fileSchema.parse(JSON.parse(file.text)));
    } catch (error) {
      // The controller tells them again with its next try.
      this.#log('warn', 'the challenges on disk cannot be used', { error: String(error) });
    }
  }

  /** All that are answered now. */
  get known(): Challenge[] {
    return this.#fresh();
  }

  /** These and no others from now on, as another process answers them. */
  replace(challenges: readonly Challenge[]): void {
    this.#set(challenges);
  }

  change(command: unknown): ChallengeReply {
    const parsed = challengeCommandSchema.safeParse(command);
    if (!parsed.success) return refuse('invalid', 'this is no change of challenges');
    const { add, remove } = parsed.data;
    const known = new Map(this.#fresh().map((each) => [each.token, each]));
    for (const token of remove) known.delete(token);
    for (const each of add) known.set(each.token, each);
    if (known.size > MOST) return refuse('full', `${MOST} challenges are answered already`);
    try {
      this.#set([...known.values()]);
    } catch (error) {
      return refuse('invalid', `OpenSSL refuses the certificate of a challenge: ${String(error)}`);
    }
    this.#save();
    return { refused: null };
  }

  /** The answer to `/.well-known/acme-challenge/TOKEN`, or null. */
  answerTo(token: string): string | null {
    const known = this.#known.get(token);
    return known?.type === 'http-01' && known.until > this.#now() ? known.answer : null;
  }

  /** Whether somebody may ask for `acme-tls/1`: else nobody's handshake is looked into. */
  get awaitsTls(): boolean {
    return this.#contexts.size > 0 && this.#fresh().some(({ type }) => type === 'tls-alpn-01');
  }

  /** The certificate by which a host is proven, or null. */
  contextFor(host: string): SecureContext | null {
    const token = this.#fresh().findLast((each) => each.type === 'tls-alpn-01' && each.host === host)?.token;
    return token === undefined ? null : (this.#contexts.get(token) ?? null);
  }

  #fresh(): Challenge[] {
    const now = this.#now();
    return [...this.#known.values()].filter(({ until }) => until > now);
  }

  /** Throws when a certificate cannot be used; then nothing has changed. */
  #set(challenges: readonly Challenge[]): void {
    const contexts = new Map<string, SecureContext>();
    for (const each of challenges)
      if (each.type === 'tls-alpn-01')
        contexts.set(
          each.token,
          this.#contexts.get(each.token) ?? createSecureContext({ ...SECURITY, ...each.certificate }),
        );
    this.#known = new Map(challenges.map((each) => [each.token, each]));
    this.#contexts = contexts;
  }

  #save(): void {
    try {
      writeWhole(this.#path, JSON.stringify([...this.#known.values()]), false);
    } catch (error) {
      // It is answered all the same, as long as this process lives.
      this.#log('warn', 'the challenges could not be written', { error: String(error) });
    }
  }
}

const refuse = (reason: 'invalid' | 'full', detail: string): ChallengeReply => ({ refused: { reason, detail } });
