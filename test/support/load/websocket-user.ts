import { setTimeout as sleep } from 'node:timers/promises';
import { versionOf } from './http-request.ts';
import type { LoadOptions } from './options.ts';
import { increment } from './recorder.ts';
import type { Recorder } from './recorder.ts';
import { Session } from './session.ts';
import { openWebSocket } from './websocket-client.ts';
import type { ClientSocket } from './websocket-client.ts';

const GOING_AWAY = 1001;
const SERVICE_RESTART = 1012;
const RETRY_MS = 500;

/** Holds one WebSocket open, sends numbered echoes, and comes back when it is told to (1001, 1012). */
export class WebSocketUser {
  /** Resolves at the first open connection. */
  readonly ready: Promise<void>;
  readonly #options: LoadOptions;
  readonly #recorder: Recorder;
  readonly #random: () => number;
  readonly #session: Session;
  readonly #stopped = new AbortController();
  #markReady: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #socket: ClientSocket | undefined;

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
    await this.#socket?.close();
    await this.#running;
    this.#session.end();
  }

  async #run(): Promise<void> {
    // A failure is counted once for each outage: when it began, or when the promised way back was shut.
    let counts: 'connect' | 'reconnect' | 'no' = 'connect';
    while (!this.#stopped.signal.aborted) {
      const socket = await this.#open(counts);
      if (!socket) {
        counts = 'no';
        await this.#pause(RETRY_MS);
        continue;
      }
      if (counts === 'reconnect') this.#recorder.ws.reconnects += 1;
      this.#markReady();
      const openedAt = Date.now();
      const { code, detail } = await this.#use(socket);
      if (this.#stopped.signal.aborted) return;
      increment(this.#recorder.ws.closes, String(code));
      const announced = code === GOING_AWAY || code === SERVICE_RESTART;
      if (!announced)
        this.#recorder.fail({ kind: 'ws-abnormal', what: 'ws', detail: `closed with ${code}: ${detail}`, openedAt });
      counts = announced ? 'reconnect' : 'no';
      await this.#pause(20 + this.#random() * 200);
    }
  }

  async #open(counts: 'connect' | 'reconnect' | 'no'): Promise<ClientSocket | undefined> {
    const { target, ws, timeoutMs, versionHeader } = this.#options;
    this.#recorder.sent.ws += 1;
    const start = performance.now();
    const opened = await openWebSocket(target, ws?.path ?? '/', this.#session, timeoutMs);
    if (opened.ok) {
      this.#recorder.ws.opened += 1;
      const version = versionOf(opened.headers, versionHeader);
      this.#recorder.reply({ what: 'ws', status: 101, version, ms: performance.now() - start, slow: true });
      return opened.socket;
    }
    const version = opened.refusal && versionOf(opened.refusal.headers, versionHeader);
    const refused = { what: 'ws', detail: opened.detail, version };
    if (counts === 'connect') this.#recorder.fail({ kind: opened.kind, ...refused });
    if (counts === 'reconnect') this.#recorder.fail({ kind: 'ws-reconnect', ...refused });
    return undefined;
  }

  async #use(socket: ClientSocket): Promise<{ code: number; detail: string }> {
    this.#socket = socket;
    if (this.#stopped.signal.aborted) void socket.close();
    const { everyMs = 1000, echo = true } = this.#options.ws ?? {};
    let sent = 0;
    let answered = 0;
    let answeredAt = performance.now();
    const timer = setInterval(() => {
      if (!echo) return;
      if (answered < sent && performance.now() - answeredAt > this.#options.timeoutMs) {
        this.#recorder.fail({ kind: 'timeout', what: 'ws', detail: `no echo within ${this.#options.timeoutMs} ms` });
        answered = sent; // said once
      }
      if (answered === sent) answeredAt = performance.now();
      sent += 1;
      socket.send(JSON.stringify({ type: 'echo', seq: sent }));
    }, everyMs);
    socket.onText = (text) => {
      const seq = sequenceOf(text);
      if (seq === undefined || seq <= answered) return;
      if (seq > answered + 1) {
        const lost = seq - answered - 1;
        const detail = `echo ${seq} came after ${answered}`;
        this.#recorder.fail({ kind: 'ws-lost-echo', what: 'ws', detail, count: lost });
      }
      this.#recorder.ws.echoes += 1;
      answered = seq;
      answeredAt = performance.now();
    };
    const end = await socket.closed;
    clearInterval(timer);
    this.#socket = undefined;
    this.#recorder.ws.unanswered += sent - answered;
    return end;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}

function sequenceOf(text: string): number | undefined {
  try {
    const { seq } = Object(JSON.parse(text)) as { seq?: unknown };
    return typeof seq === 'number' ? seq : undefined;
  } catch {
    return undefined; // some servers greet in plain text
  }
}
