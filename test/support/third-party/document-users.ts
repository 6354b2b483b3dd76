import { setTimeout as sleep } from 'node:timers/promises';
import { HttpUsers } from '../load/http-users.ts';
import { withDefaults } from '../load/options.ts';
import { increment, Recorder } from '../load/recorder.ts';
import type { LoadReport } from '../load/report.ts';
import { type DocumentClient, loadDocumentClient, type Provider, type SharedDocument } from './documents.ts';
import type { Users, UsersOptions } from './users.ts';

const ROOMS = 15;
const WRITERS_OF_A_ROOM = 2;
const EDIT_EVERY_MS = 300;
const VISITS_PER_SECOND = 8;
/** How long all copies of a document may take to be the same after the last edit. */
const SETTLE_MS = 20_000;
/** Going away, and service restart: what a client is told that shall come back. */
const ANNOUNCED = [1001, 1012];

export interface DocumentCounts {
  readonly edits: number;
  /** Edits that are missing in some writer's copy in the end. */
  readonly lostEdits: number;
  /** People who opened a document, read it, and left. */
  readonly visits: number;
  readonly openAtTheEnd: number;
}

/**
 * The users of a server for shared documents, through its own client: writers who stay, two in each document; readers
 * who come and go; and plain HTTP requests, as monitors send them.
 */
export class DocumentUsers implements Users<DocumentCounts> {
  readonly #options: UsersOptions;
  readonly #client: DocumentClient;
  readonly #recorder = new Recorder([]);
  readonly #http: HttpUsers;
  readonly #writers: Writer[] = [];
  readonly #visits = new Set<Promise<void>>();
  #visitTimer: NodeJS.Timeout | undefined;
  #visited = 0;

  private constructor(options: UsersOptions) {
    this.#options = options;
    this.#client = loadDocumentClient(options.clientFolder ?? '.', `ws://127.0.0.1:${options.port}`);
    const load = withDefaults({
      target: { host: '127.0.0.1', port: options.port },
      rate: options.rate,
      cookieless: 0.8,
      timeoutMs: options.timeoutMs,
      mix: [
        { name: 'look', weight: 3, method: 'GET', path: '/' },
        { name: 'post', weight: 1, method: 'POST', path: '/', json: { text: 'steady as she goes' } },
      ],
    });
    this.#http = new HttpUsers(load, this.#recorder, Math.random, () => undefined);
  }

  /** Returns when every writer is connected and in step. */
  static async start(options: UsersOptions): Promise<DocumentUsers> {
    const users = new DocumentUsers(options);
    for (let i = 0; i < ROOMS * WRITERS_OF_A_ROOM; i += 1) {
      users.#writers.push(new Writer(users.#client, users.#recorder, `room-${i % ROOMS}`, `writer-${i}`));
    }
    await Promise.all(users.#writers.map((writer) => writer.ready));
    for (const writer of users.#writers) writer.write();
    users.#http.start();
    users.#visitTimer = setInterval(() => {
      const visit: Promise<void> = users.#visit().finally(() => users.#visits.delete(visit));
      users.#visits.add(visit);
    }, 1000 / VISITS_PER_SECOND);
    return users;
  }

  async stop(): Promise<LoadReport & DocumentCounts> {
    clearInterval(this.#visitTimer);
    await Promise.all([this.#http.stop(), ...this.#visits]);
    for (const writer of this.#writers) writer.rest();
    const lostEdits = await this.#lostEdits();
    if (lostEdits > 0)
      this.#recorder.fail({ kind: 'wrong-body', what: 'ws', detail: `${lostEdits} edits are lost`, count: lostEdits });
    const openAtTheEnd = this.#writers.filter((writer) => writer.synced).length;
    for (const writer of this.#writers) writer.leave();
    const edits = this.#writers.reduce((sum, writer) => sum + writer.edits, 0);
    return { ...this.#recorder.report(), edits, lostEdits, visits: this.#visited, openAtTheEnd };
  }

  /** Waits until every copy of a document holds what all its writers have written. */
  async #lostEdits(): Promise<number> {
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const lost = this.#writers.reduce((sum, reader) => {
        const inRoom = this.#writers.filter(({ room }) => room === reader.room);
        return sum + inRoom.reduce((missing, writer) => missing + reader.missing(writer), 0);
      }, 0);
      if (lost === 0 || performance.now() > deadline) return lost;
      await sleep(100);
    }
  }

  /** Opens a document with nothing kept from before, reads it and leaves. */
  async #visit(): Promise<void> {
    const document = this.#client.newDocument();
    const read = Promise.withResolvers<'read' | 'failed'>();
    this.#recorder.sent.ws += 1;
    const provider = this.#client.connect(`room-${Math.floor(Math.random() * ROOMS)}`, document);
    provider.on('sync', (synced) => synced && read.resolve('read'));
    provider.on('connection-error', ({ message = 'no reason' }) => {
      this.#recorder.fail({ kind: 'other', what: 'visit', detail: message });
      read.resolve('failed');
    });
    const timer = setTimeout(() => {
      const detail = `the document was not there within ${this.#options.timeoutMs} ms`;
      this.#recorder.fail({ kind: 'timeout', what: 'visit', detail });
      read.resolve('failed');
    }, this.#options.timeoutMs);
    if ((await read.promise) === 'read') this.#visited += 1;
    clearTimeout(timer);
    provider.destroy();
    document.destroy();
  }
}

/** Stays in one document, adds to it all the time, and comes back when it is told to. */
class Writer {
  readonly room: string;
  readonly ready: Promise<void>;
  edits = 0;
  readonly #name: string;
  readonly #document: SharedDocument;
  readonly #provider: Provider;
  #timer: NodeJS.Timeout | undefined;
  /** What an attempt to connect is: the first, the one after an announced end, or one more after a failure. */
  #attempt: 'first' | 'return' | 'again' = 'first';
  #left = false;

  constructor(client: DocumentClient, recorder: Recorder, room: string, name: string) {
    this.room = room;
    this.#name = name;
    this.#document = client.newDocument();
    this.#provider = client.connect(room, this.#document);
    recorder.sent.ws += 1;
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.#provider.on('sync', (synced) => synced && ready.resolve());
    this.#provider.on('status', ({ status }) => {
      if (status === 'connecting') recorder.sent.ws += 1;
      if (status !== 'connected') return;
      recorder.ws.opened += 1;
      if (this.#attempt === 'return') recorder.ws.reconnects += 1;
      this.#attempt = 'again';
    });
    this.#provider.on('connection-error', ({ message = 'no reason' }) => {
      if (this.#left) return;
      if (this.#attempt !== 'again') {
        const kind = this.#attempt === 'first' ? 'other' : 'ws-reconnect';
        recorder.fail({ kind, what: 'ws', detail: message });
      }
      this.#attempt = 'again';
    });
    this.#provider.on('connection-close', (event) => {
      if (this.#left) return;
      const code = event?.code ?? 0;
      increment(recorder.ws.closes, String(code));
      if (ANNOUNCED.includes(code)) this.#attempt = 'return';
      else {
        const detail = `closed with ${code}: ${event?.reason ?? 'by the client'}`;
        recorder.fail({ kind: 'ws-abnormal', what: 'ws', detail });
      }
    });
  }

  get synced(): boolean {
    return this.#provider.synced;
  }

  write(): void {
    const list = this.#document.getArray('edits');
    this.#timer = setInterval(() => list.push([`${this.#name}:${this.edits++}`]), EDIT_EVERY_MS);
  }

  rest(): void {
    clearInterval(this.#timer);
  }

  /** How many of another's edits are not in this copy. */
  missing(writer: Writer): number {
    const mine = new Set(this.#document.getArray('edits').toArray());
    return Array.from({ length: writer.edits }, (_, i) => `${writer.#name}:${i}`).filter((id) => !mine.has(id)).length;
  }

  leave(): void {
    this.#left = true;
    this.#provider.destroy();
    this.#document.destroy();
  }
}
