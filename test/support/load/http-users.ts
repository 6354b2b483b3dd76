import { createHash, randomBytes } from 'node:crypto';
import { sendRequest, versionOf } from './http-request.ts';
import type { LoadOptions, RequestKind } from './options.ts';
import type { Recorder } from './recorder.ts';
import { Session } from './session.ts';

const TICK_MS = 5;

/** Everything that sends plain requests: the open-loop users, and those that let their connection go idle. */
export class HttpUsers {
  readonly #options: LoadOptions;
  readonly #recorder: Recorder;
  readonly #sessions: Session[];
  readonly #cookieless: Session;
  readonly #idle: Session[];
  readonly #random: () => number;
  readonly #onEventId: (id: number) => void;
  readonly #payloads = new Map<number, { bytes: Buffer; sha256: string }>();
  readonly #idleTimers = new Set<NodeJS.Timeout>();
  readonly #pending = new Set<Promise<void>>();
  #ticker: NodeJS.Timeout | undefined;
  #issued = 0;
  #stopping = false;

  constructor(options: LoadOptions, recorder: Recorder, random: () => number, onEventId: (id: number) => void) {
    this.#options = options;
    this.#recorder = recorder;
    this.#random = random;
    this.#onEventId = onEventId;
    // The seed makes runs alike; the suffix keeps the accounts of two runs on one database apart.
    const run = randomBytes(3).toString('hex');
    const session = (name: string, keepsCookies = true) =>
      new Session(`load-${run}-${name}`, options.jwtSecret, keepsCookies);
    this.#sessions = Array.from({ length: options.sessions }, (_, i) => session(String(i)));
    this.#cookieless = session('cookieless', false);
    this.#idle = Array.from({ length: options.idle?.users ?? 0 }, (_, i) => session(`idle-${i}`));
  }

  start(): void {
    const begin = performance.now();
    const spacing = 1000 / this.#options.rate;
    this.#ticker = setInterval(() => {
      const elapsed = performance.now() - begin;
      while (this.#issued * spacing <= elapsed) {
        this.#recorder.late(elapsed - this.#issued * spacing);
        this.#issued += 1;
        this.#sendOne();
      }
    }, TICK_MS);
    for (const session of this.#idle) this.#waitIdle(session);
  }

  /** Sends nothing new, and waits for the replies to what was sent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#ticker);
    for (const timer of this.#idleTimers) clearTimeout(timer);
    this.#idleTimers.clear();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    for (const session of [...this.#sessions, ...this.#idle, this.#cookieless]) session.end();
  }

  #sendOne(): void {
    if (this.#pending.size >= this.#options.maxInFlight) {
      this.#recorder.skipped += 1;
      return;
    }
    const kind = this.#pick();
    const session =
      this.#random() < this.#options.cookieless
        ? this.#cookieless
        : this.#sessions[Math.floor(this.#random() * this.#sessions.length)];
    this.#track(this.#send(session ?? this.#cookieless, kind));
  }

  #waitIdle(session: Session): void {
    const gaps = this.#options.idle?.gapsMs ?? [];
    const gap = gaps[Math.floor(this.#random() * gaps.length)] ?? 1000;
    const timer = setTimeout(() => {
      this.#idleTimers.delete(timer);
      const kind = this.#pick();
      this.#track(
        this.#send(session, kind).then(() => {
          if (!this.#stopping) this.#waitIdle(session);
        }),
      );
    }, gap);
    this.#idleTimers.add(timer);
  }

  #track(work: Promise<void>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }

  #pick(): RequestKind {
    const { mix } = this.#options;
    let left = this.#random() * mix.reduce((sum, { weight }) => sum + weight, 0);
    for (const kind of mix) {
      left -= kind.weight;
      if (left < 0) return kind;
    }
    const last = mix.at(-1);
    if (!last) throw new RangeError('a load needs at least one kind of request');
    return last;
  }

  async #send(session: Session, kind: RequestKind): Promise<void> {
    const first = this.#options.firstOfSession;
    if (first && kind.auth && !session.begun) {
      session.begun = true;
      await this.#send(session, first);
    }
    const recorder = this.#recorder;
    const options = this.#options;
    const payload = kind.bytes === undefined ? undefined : this.#payload(kind.bytes);
    const body =
      payload === undefined
        ? kind.json === undefined
          ? undefined
          : { type: 'application/json', bytes: Buffer.from(JSON.stringify(kind.json)) }
        : { type: 'application/octet-stream', bytes: payload.bytes };
    recorder.sent.http += 1;
    if (kind.method === 'POST') recorder.sent.posts += 1;
    const start = performance.now();
    const outcome = await sendRequest({
      target: options.target,
      session,
      method: kind.method,
      path: kind.path,
      auth: kind.auth ?? false,
      ...(body ? { body } : {}),
      timeoutMs: options.timeoutMs,
      keepBody: kind.echoesDigest === true || kind.eventIdAt !== undefined,
    });
    if (!outcome.ok) {
      recorder.fail({ ...outcome, what: kind.name });
      return;
    }
    const { status } = outcome;
    const version = versionOf(outcome.headers, options.versionHeader);
    recorder.reply({
      what: kind.name,
      status,
      version,
      ms: performance.now() - start,
      slow: kind.slow ?? false,
    });
    if (status >= 500) return;
    if (!(kind.expect?.includes(status) ?? (status >= 200 && status < 400))) {
      recorder.fail({ kind: 'status', what: kind.name, detail: `unexpected status ${status}`, version });
      return;
    }
    const problem = this.#checkBody(kind, payload?.sha256, outcome.body);
    if (problem !== undefined) recorder.fail({ kind: 'wrong-body', what: kind.name, detail: problem, version });
  }

  #checkBody(kind: RequestKind, sha256: string | undefined, body: Buffer): string | undefined {
    if (!kind.echoesDigest && kind.eventIdAt === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(body.toString('utf8'));
    } catch {
      return `not JSON: ${body.toString('utf8', 0, 80)}`;
    }
    if (kind.echoesDigest && at(value, 'sha256') !== sha256) return 'the digest is not that of what was sent';
    if (kind.eventIdAt !== undefined) {
      const id = at(value, kind.eventIdAt);
      if (typeof id !== 'number') return `no number at ${kind.eventIdAt}`;
      this.#onEventId(id);
    }
    return undefined;
  }

  #payload(length: number): { bytes: Buffer; sha256: string } {
    let payload = this.#payloads.get(length);
    if (!payload) {
      const bytes = randomBytes(length);
      payload = { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
      this.#payloads.set(length, payload);
    }
    return payload;
  }
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], value);
}
