import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionOf, describe, kindOfError, requestOptions, versionOf } from './http-request.ts';
import type { LoadOptions } from './options.ts';
import type { Recorder } from './recorder.ts';
import type { FailureKind } from './report.ts';
import { Session } from './session.ts';

const RETRY_MS = 250;
/** Without a byte for so long, heartbeats included, a stream is dead. */
const SILENCE_MS = 30_000;

type End = {
  readonly opened: boolean;
  readonly failure?: { readonly kind: FailureKind; readonly detail: string; readonly openedAt: number };
};

/** Reads one event stream, comes back with `Last-Event-ID` when it ends, and notices every event that is missing. */
export class EventStreamUser {
  /** Resolves when the stream was first opened. */
  readonly ready: Promise<void>;
  /** Id of the last event; 0 before the first. */
  lastId = 0;
  readonly #options: LoadOptions;
  readonly #recorder: Recorder;
  readonly #random: () => number;
  readonly #session: Session;
  readonly #stopped = new AbortController();
  #markReady: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #request: ClientRequest | undefined;
  #positioned = false;

  constructor(options: LoadOptions, recorder: Recorder, random: () => number, name: string) {
    this.#options = options;
    this.#recorder = recorder;
    this.#random = random;
    this.#session = new Session(name, options.jwtSecret);
    this.ready = new Promise((resolve) => (this.#markReady = resolve));
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#request?.destroy();
    await this.#running;
    this.#session.end();
  }

  /** Counts what never arrived of the events up to `id`; to be called at the end, when all had their time. */
  countMissingUpTo(id: number): void {
    if (this.#positioned && id > this.lastId) this.#lose(id - this.lastId, `the last of ${id} seen was ${this.lastId}`);
  }

  async #run(): Promise<void> {
    let down = false; // an outage is counted once
    let before = false;
    while (!this.#stopped.signal.aborted) {
      const { opened, failure } = await this.#read(before, down);
      if (this.#stopped.signal.aborted) return;
      if (failure && !(down && !opened)) this.#recorder.fail({ ...failure, what: 'sse' });
      down = failure !== undefined || !opened;
      before ||= opened;
      await this.#pause(opened ? this.#random() * 100 : RETRY_MS);
    }
  }

  #read(reconnecting: boolean, down: boolean): Promise<End> {
    const { target, sse, timeoutMs } = this.#options;
    this.#recorder.sent.sse += 1;
    return new Promise((resolve) => {
      const start = performance.now();
      const req = request(
        requestOptions({
          target,
          session: this.#session,
          method: 'GET',
          path: sse?.path ?? '/',
          auth: true,
          headers: {
            accept: 'text/event-stream',
            ...(reconnecting && this.#positioned ? { 'last-event-id': String(this.lastId) } : {}),
          },
        }),
      );
      this.#request = req;
      const connection = connectionOf(req);
      const failed = (kind: FailureKind, detail: string) => ({ kind, detail, openedAt: connection.openedAt });
      let res: IncomingMessage | undefined;
      const settle = (end: End) => {
        clearTimeout(timer);
        resolve(end);
      };
      const expire = () => {
        settle({ opened: res !== undefined, failure: failed('timeout', res ? 'silent' : 'no answer') });
        req.destroy();
      };
      let timer = setTimeout(expire, timeoutMs);
      req.on('error', (error) => {
        if (!res) settle({ opened: false, failure: failed(kindOfError(error), describe(error)) });
      });
      req.on('response', (response) => {
        res = response;
        this.#session.keepCookies(response.headers);
        const opened = this.#opened(response, performance.now() - start, reconnecting, down);
        const parser = new EventParser((id) => this.#event(id));
        response.setEncoding('utf8');
        clearTimeout(timer);
        timer = setTimeout(expire, SILENCE_MS);
        response.on('data', (text: string) => {
          timer.refresh();
          if (opened) parser.push(text);
        });
        response.on('error', () => undefined); // 'close' follows
        response.on('close', () => {
          const cut = !response.complete ? 'the connection ended' : parser.inside ? 'ended inside an event' : undefined;
          if (!opened || cut === undefined) settle({ opened });
          else settle({ opened, failure: failed('truncated', `${cut} after event ${this.lastId}`) });
        });
      });
      req.end();
    });
  }

  #opened(response: IncomingMessage, ms: number, reconnecting: boolean, down: boolean): boolean {
    const { statusCode: status = 0, headers } = response;
    const version = versionOf(headers, this.#options.versionHeader);
    this.#recorder.reply({ what: 'sse', status, version, ms, slow: true, again: down });
    if (status === 200) {
      this.#recorder.sse.opened += 1;
      if (reconnecting) this.#recorder.sse.reconnects += 1;
      this.#markReady();
      return true;
    }
    if (status < 500 && !down)
      this.#recorder.fail({ kind: 'status', what: 'sse', detail: `unexpected status ${status}`, version });
    return false;
  }

  #event(id: number): void {
    this.#recorder.sse.events += 1;
    if (this.#positioned && this.#options.sse?.contiguous) {
      // The first event after coming back may repeat the position; anything else that is not new is a duplicate.
      if (id < this.lastId) this.#recorder.sse.duplicates += 1;
      else if (id > this.lastId + 1) this.#lose(id - this.lastId - 1, `event ${id} came after ${this.lastId}`);
    }
    this.#positioned = true;
    this.lastId = Math.max(this.lastId, id);
  }

  #lose(count: number, detail: string): void {
    this.#recorder.sse.lost += count;
    this.#recorder.fail({ kind: 'sse-lost-event', what: 'sse', detail, count });
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}

/** Finds the events with an id in a text that arrives in pieces. */
class EventParser {
  readonly #onEvent: (id: number) => void;
  #rest = '';

  constructor(onEvent: (id: number) => void) {
    this.#onEvent = onEvent;
  }

  /** Whether an event has begun and not ended. */
  get inside(): boolean {
    return this.#rest !== '';
  }

  push(text: string): void {
    const blocks = (this.#rest + text.replaceAll('\r', '')).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const id = /^id: ?(\d+)$/m.exec(block);
      if (id) this.#onEvent(Number(id[1]));
    }
  }
}
