import type { ServerHttp2Session } from 'node:http2';

/** Whoever does not answer by then has what it sends meanwhile refused, in a way that lets it be sent again. */
const ANSWER_MS = 1_000;

/**
 * Ends a connection so that no request is on its way when the goodbye is said: nghttp2 ignores what comes after it, and not
 * every client sends again what the goodbye does not count (RFC 9113, 6.8). Clients ask for more when they were answered.
 * So for as long as a ping takes no reply ends; what was sent until then has arrived and is answered as well; then comes
 * the goodbye, and behind it the ends of the replies.
 */
export class Farewell {
  #state: 'none' | 'asked' | 'said' = 'none';
  #waiting: (() => void)[] = [];

  /** `goodbye` is called once, when it may be said. */
  begin(session: ServerHttp2Session, goodbye: () => void): void {
    if (this.#state !== 'none' || session.destroyed) return;
    this.#state = 'asked';
    const say = (): void => this.#say(goodbye);
    if (!session.ping(say)) say();
    setTimeout(say, ANSWER_MS).unref();
  }

  /** Ends a reply: now, or behind the goodbye. */
  end(then: () => void): void {
    if (this.#state === 'asked') this.#waiting.push(then);
    else then();
  }

  #say(goodbye: () => void): void {
    if (this.#state === 'said') return;
    this.#state = 'said';
    goodbye();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }
}
