import { createHmac, randomBytes } from 'node:crypto';
import { clientKey } from '../../domain/traffic/address.ts';
import type { EdgePolicy } from '../../domain/traffic/policy.ts';
import { hashPassword, passwordMatches } from '../../platform/password.ts';
import type { Limiter, LimiterFor } from './limits.ts';

export type BasicAuth = NonNullable<EdgePolicy['basicAuth']>;

/** What became of credentials; `busy` and `throttled` with the seconds after which to come back. */
export type Proof =
  | { readonly kind: 'proven'; readonly user: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'busy'; readonly retryAfterS: number }
  | { readonly kind: 'throttled'; readonly retryAfterS: number };

/** A check costs a core for a good while; traffic needs the other. */
const AT_ONCE = 2;
const WAITING = 64;
const REMEMBERED = 2_000;
/** Then it is proven anew. A password that was changed is another one at once: its hash is. */
const REMEMBER_MS = 15 * 60_000;
/** Wrong guesses that cost a check, of one client: twenty, and then one every two seconds. */
const GUESSES = { requests: 30, perMs: 60_000, burst: 20 };
const LONGEST = 1024;

interface Asked {
  readonly given: { readonly name: string; readonly password: string };
  /** Of the client. */
  readonly key: string;
  readonly now: number;
}

/** Proves names and passwords, for all routes of this process. Who was proven lately is let in without another check. */
export class Credentials {
  readonly #key = randomBytes(32);
  /** Until when, by a digest: neither passwords nor what gives them away lies in memory for long. */
  readonly #proven = new Map<string, number>();
  /** Under way, by the same digest. */
  readonly #checking = new Map<string, Promise<boolean>>();
  /** For whom that is decided now, by digest and client: all that bring the same at once are one guess. */
  readonly #proving = new Map<string, Promise<Proof>>();
  readonly #guesses: Limiter;
  #running = 0;
  readonly #queue: (() => void)[] = [];
  /** For names that do not exist: they must take as long as those that do. */
  #nobody: Promise<string> | null = null;

  constructor(limiterFor: LimiterFor) {
    this.#guesses = limiterFor('guesses of passwords', GUESSES);
  }

  async prove({ users }: BasicAuth, authorization: string, client: string, now: number): Promise<Proof> {
    const given = readBasic(authorization);
    if (given === null) return { kind: 'refused' };
    const hash = users.find(({ name }) => name === given.name)?.hash ?? null;
    const mark = this.#mark(hash ?? '', given);
    if (this.#isProven(mark, now)) return { kind: 'proven', user: given.name };
    const key = clientKey(client);
    // A browser asks for a page and all that belongs to it at once.
    const asked = `${mark} ${key}`;
    const same = this.#proving.get(asked);
    if (same !== undefined) return same;
    const proof = this.#prove(hash, mark, { given, key, now }).finally(() => this.#proving.delete(asked));
    this.#proving.set(asked, proof);
    return proof;
  }

  async #prove(hash: string | null, mark: string, { given, key, now }: Asked): Promise<Proof> {
    const said = (right: boolean): Proof => (right ? { kind: 'proven', user: given.name } : { kind: 'refused' });
    const same = this.#checking.get(mark);
    if (same !== undefined) return said(await same);
    const taken = this.#guesses.take(key, now);
    const wait = typeof taken === 'number' ? taken : await taken;
    // Asking may have taken a moment, in which somebody else began the same check. What is not checked is no guess.
    const begun = this.#isProven(mark, now) ? true : this.#checking.get(mark);
    if (begun !== undefined) {
      if (wait === 0) this.#guesses.giveBack(key);
      return said(await begun);
    }
    if (wait > 0) return { kind: 'throttled', retryAfterS: Math.ceil(wait / 1000) };
    if (this.#running >= AT_ONCE && this.#queue.length >= WAITING) {
      this.#guesses.giveBack(key);
      return { kind: 'busy', retryAfterS: 2 };
    }
    const checked = this.#check(hash, given.password);
    this.#checking.set(mark, checked);
    const right = await checked.finally(() => this.#checking.delete(mark));
    if (!right) return said(false);
    // Who knows the password does not guess: many people at one address, and one at many workers, are not throttled.
    this.#guesses.giveBack(key);
    const [oldest] = this.#proven.keys();
    if (this.#proven.size >= REMEMBERED && oldest !== undefined) this.#proven.delete(oldest);
    this.#proven.set(mark, now + REMEMBER_MS);
    return said(true);
  }

  /** Only who exists is remembered. */
  #isProven(mark: string, now: number): boolean {
    return (this.#proven.get(mark) ?? 0) > now;
  }

  async #check(hash: string | null, password: string): Promise<boolean> {
    this.#nobody ??= hashPassword(randomBytes(16).toString('hex'));
    const compared = hash ?? (await this.#nobody);
    const right = await this.#inTurn(() => passwordMatches(password, compared));
    return right && hash !== null;
  }

  #mark(hash: string, { name, password }: { name: string; password: string }): string {
    return createHmac('sha256', this.#key).update(`${hash}\0${name}\0${password}`).digest('base64');
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    // Whoever is called from the queue takes over the place of who called.
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

function readBasic(authorization: string): { name: string; password: string } | null {
  const encoded = /^basic +([a-z0-9+/_=-]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined || encoded.length > LONGEST) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
