import type { ServerHttp2Session } from 'node:http2';

/** Whoever has not answered by then has what it sends meanwhile refused, in a way that lets it be sent again. */
const ANSWER_MS = 2_000;

/**
 * Ends a connection so that no request is on its way when the goodbye is said: nghttp2 ignores what comes after it, and not
 * every client sends again what the goodbye does not count (RFC 9113, 6.8). Clients ask for more when they were answered.
 * So for as long as a ping takes no reply ends; what was sent until then has arrived and is answered as well; then comes
 * the goodbye, and behind it the ends of the replies. A ping overtakes ends that were held up, by the client's window or
 * for a moment by nghttp2: it counts when none of them was sent meanwhile, and is sent again otherwise.
 */
export class Farewell {
  #state: 'none' | 'asked' | 'said' = 'none';
  #waiting: (() => void)[] = [];
  /** Streams that have closed. */
  #closed = 0;

  /** `goodbye` is called once, when it may be said. */
  begin(session: ServerHttp2Session, goodbye: () => void): void {
    if (this.#state !== 'none' || session.destroyed) return;
    this.#state = 'asked';
    this.#ask(session, goodbye);
    // What has arrived is read first, however long nobody looked.
    setTimeout(() => setImmediate(() => this.#say(goodbye)), ANSWER_MS).unref();
  }

  /** Ends a reply: now, or behind the goodbye. */
  end(then: () => void): void {
    if (this.#state === 'asked') this.#waiting.push(then);
    else then();
  }

  streamClosed(): void {
    this.#closed++;
  }

  #ask(session: ServerHttp2Session, goodbye: () => void): void {
    const before = this.#closed;
    const answered = (): void => {
      if (this.#closed === before || session.destroyed) this.#say(goodbye);
      else this.#ask(session, goodbye);
    };
    if (!session.ping(() => setImmediate(answered))) this.#say(goodbye);
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
