import { constants } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';

/** Any stream that a client may still open: the goodbye before the last one (RFC 9113, 6.8). */
const ANY_STREAM = 2 ** 31 - 1;
/** For the notice to be on its way before it is asked whether it arrived. */
const ASK_AFTER_MS = 10;
/** Whoever does not answer by then has what it sent meanwhile refused, in a way that lets it be sent again. */
const ANSWER_MS = 1_000;

/**
 * Tells a client to open no more streams, and knows when it has read that. What it sent before is here by then. Until
 * then no reply ends: with a notice sent and no stream open nghttp2 wants to read nothing more, and a request that was on
 * its way would be lost.
 */
export class Notice {
  #state: 'none' | 'sent' | 'read' = 'none';
  #waiting: (() => void)[] = [];

  get sent(): boolean {
    return this.#state !== 'none';
  }

  send(session: ServerHttp2Session): void {
    if (this.sent || session.destroyed) return;
    this.#state = 'sent';
    session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM);
    setTimeout(() => {
      if (session.destroyed || !session.ping(() => this.#read())) this.#read();
    }, ASK_AFTER_MS).unref();
    setTimeout(() => this.#read(), ANSWER_MS).unref();
  }

  /** Ends a reply: now, or as soon as nobody can be hurt by it. */
  end(then: () => void): void {
    if (this.#state === 'sent') this.#waiting.push(then);
    else then();
  }

  #read(): void {
    this.#state = 'read';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }
}
