// Server-sent events: every new message to everybody, whichever instance of whichever release stored it.
import { VERSION } from './release.js';

const POLL_MS = 100;
const HEARTBEAT_MS = Number(process.env.HEARTBEAT_MS ?? 10_000);
const MAX_BUFFERED_BYTES = 1024 * 1024;

export class Events {
  #store;
  /** @type {Map<import('node:http').ServerResponse, number>} each open stream and the last id that it was sent */
  #streams = new Map();
  #messageId = -1;
  #ledgerId = -1;
  #timers;

  /** @param {import('./store.js').Store} store */
  constructor(store) {
    this.#store = store;
    this.#timers = [setInterval(() => this.poll(), POLL_MS), setInterval(() => this.#beat(), HEARTBEAT_MS)];
  }

  /**
   * @param {import('node:http').IncomingMessage} req
   * @param {import('node:http').ServerResponse} res
   */
  open(req, res) {
    this.#followMessages(); // from here on at the latest, or this stream misses what comes before the first poll
    const resumeAt = /^\d{1,15}$/.exec(String(req.headers['last-event-id'] ?? ''));
    let last = resumeAt ? Number(resumeAt[0]) : this.#store.newestMessageId();
    res.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    // The first event names the position, so that a client cut off before any message still resumes without a hole.
    res.write(`retry: 500\nid: ${last}\nevent: hello\ndata: ${JSON.stringify({ version: VERSION })}\n\n`);
    for (;;) {
      const missed = this.#store.messagesSince(last);
      if (missed.length === 0) break;
      res.write(missed.map(toEvent).join(''));
      last = missed.at(-1).id;
    }
    this.#streams.set(res, last);
    res.on('close', () => this.#streams.delete(res));
  }

  /** Looks for what this and other instances have written; called by a timer, and at once after an own write. */
  poll() {
    try {
      this.#followLedger();
      this.#followMessages();
    } catch (error) {
      if (this.#messageId >= 0) console.error('api: cannot follow the database:', error.message);
    }
  }

  /** Ends every stream between two events; clients come back with the id of the last one. */
  close() {
    for (const timer of this.#timers) clearInterval(timer);
    for (const res of this.#streams.keys()) res.end();
  }

  #followLedger() {
    if (this.#ledgerId < 0) {
      this.#ledgerId = this.#store.newestLedgerId();
      this.#store.forgetAll(); // what was cached until now may have changed since
    }
    for (const { id, user } of this.#store.ledgerSince(this.#ledgerId)) {
      this.#store.forget(user);
      this.#ledgerId = id;
    }
  }

  #followMessages() {
    if (this.#messageId < 0) this.#messageId = this.#store.newestMessageId();
    const messages = this.#store.messagesSince(this.#messageId);
    if (messages.length === 0) return;
    this.#messageId = messages.at(-1).id;
    const events = messages.map((message) => ({ id: message.id, text: toEvent(message) }));
    for (const [res, last] of this.#streams) {
      const news = events.filter(({ id }) => id > last);
      if (news.length === 0) continue;
      res.write(news.map(({ text }) => text).join(''));
      this.#streams.set(res, news.at(-1).id);
      // A reader that does not keep up may come back for the rest.
      if (res.writableLength > MAX_BUFFERED_BYTES) res.end();
    }
  }

  #beat() {
    for (const res of this.#streams.keys()) res.write(': still here\n\n');
  }
}

function toEvent(message) {
  return `id: ${message.id}\nevent: message\ndata: ${JSON.stringify(message)}\n\n`;
}
