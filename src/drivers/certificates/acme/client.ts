import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { busy, nonsense, problemOf, problemType, refused, retryAfterOf, unreachable } from './failure.ts';
import { httpsRequest } from './https.ts';
import type { HttpsAsk, HttpsReply } from './https.ts';
import { signedBody } from './jose.ts';

const url = z.url({ protocol: /^https$/ });

export const isHttps = (target: string | null): target is string => url.safeParse(target).success;

const directorySchema = z.object({ newNonce: url, newAccount: url, newOrder: url });
type Directory = z.infer<typeof directorySchema>;

/** Good nonces may be refused now and then, which costs nothing but the way. */
const NONCE_TRIES = 10;

export interface Answer {
  status: number;
  /** Of what was made. */
  location: string | null;
  text: string;
  /** Wall time, ms. */
  retryAfter: number | null;
}

/** Between two looks at the same thing. */
const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Speaks to one issuer with one account key. Rejects with IssueError, or with the signal's reason. */
export class AcmeClient {
  readonly #directoryUrl: string;
  readonly #key: KeyObject;
  readonly #ca: string | null;
  readonly #signal: AbortSignal;
  #directory: Directory | null = null;
  #nonce: string | null = null;
  /** URL of the account, once it is known. */
  account: string | null = null;

  constructor(options: { directory: string; key: KeyObject; ca: string | null; signal: AbortSignal }) {
    this.#directoryUrl = options.directory;
    this.#key = options.key;
    this.#ca = options.ca;
    this.#signal = options.signal;
  }

  async directory(): Promise<Directory> {
    if (this.#directory !== null) return this.#directory;
    const reply = await this.#ask({ method: 'GET', url: this.#directoryUrl });
    if (reply.status === 429 || reply.status >= 500)
      throw busy(this.#directoryUrl, reply, retryAfterOf(reply.headers, Date.now()));
    const parsed = directorySchema.safeParse(jsonIn(reply.text));
    if (!parsed.success) throw nonsense(this.#directoryUrl, `there is no directory (status ${reply.status})`);
    this.#directory = parsed.data;
    return parsed.data;
  }

  /** A signed request; `payload` null reads. `about`: the host and the step, for what is said when it is refused. */
  async post(target: string, payload: unknown, about: { host: string; step: string }): Promise<Answer> {
    if (!isHttps(target)) throw nonsense(this.#directoryUrl, 'it names an address that is not https');
    for (let tries = 1; ; tries++) {
      const nonce = await this.#takeNonce();
      const body = signedBody({ url: target, nonce, account: this.account, payload }, this.#key);
      const reply = await this.#ask({ method: 'POST', url: target, body });
      const retryAfter = retryAfterOf(reply.headers, Date.now());
      if (reply.status >= 200 && reply.status < 300)
        return { status: reply.status, location: reply.headers.location ?? null, text: reply.text, retryAfter };
      const problem = problemOf(reply);
      if (problemType(problem) === 'badNonce' && tries < NONCE_TRIES) continue;
      throw refused(problem, { ...about, retryAfter });
    }
  }

  /** The same, for a reply in JSON form. */
  async read<T extends z.ZodType>(
    target: string,
    payload: unknown,
    schema: T,
    about: { host: string; step: string },
  ): Promise<Answer & { value: z.output<T> }> {
    const answer = await this.post(target, payload, about);
    const parsed = schema.safeParse(jsonIn(answer.text));
    if (!parsed.success) throw nonsense(target, `${about.step} (${parsed.error.issues[0]?.message ?? ''})`);
    return { ...answer, value: parsed.data };
  }

  async #takeNonce(): Promise<string> {
    const known = this.#nonce;
    this.#nonce = null;
    if (known !== null) return known;
    const { newNonce } = await this.directory();
    await this.#ask({ method: 'HEAD', url: newNonce });
    const fresh = this.#nonce as string | null;
    this.#nonce = null;
    if (fresh === null) throw nonsense(newNonce, 'it gives no nonce');
    return fresh;
  }

  async #ask(ask: Pick<HttpsAsk, 'method' | 'url' | 'body'>): Promise<HttpsReply> {
    try {
      const reply = await httpsRequest({ ...ask, ca: this.#ca, signal: this.#signal });
      const nonce = reply.headers['replay-nonce'];
      if (typeof nonce === 'string') this.#nonce = nonce;
      return reply;
    } catch (error) {
      this.#signal.throwIfAborted();
      throw unreachable(ask.url, error);
    }
  }
}

/** How long the issuer wants to be left alone before it is asked the same again. */
export function waitFor({ retryAfter }: Pick<Answer, 'retryAfter'>): number {
  const asked = retryAfter === null ? 0 : retryAfter - Date.now();
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, asked));
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
