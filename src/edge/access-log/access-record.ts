import { randomFillSync } from 'node:crypto';
import { redactQuery } from '../../domain/traffic/redact-query.ts';
import { traceIdOf, traceparent } from '../../domain/traffic/trace.ts';
import type { HeadEdits } from '../policy/head-edits.ts';
import type { RequestParts } from '../proxy/forwarding.ts';
import type { AccessLog } from './access-log.ts';

const LONGEST_PATH = 1024;
const LONGEST_NAME = 256;

/** How it ended: the reply was whole, the client left, or the instance let it down. */
export type End = 'whole' | 'left' | 'broken';

/** What is known of one request, gathered while it is answered; a line of the access log when it is over, or nothing. */
export class AccessRecord {
  readonly #log: AccessLog;
  readonly #req: RequestParts['req'];
  readonly #host: string | null;
  readonly #service: string | null;
  readonly #url: string;
  readonly #client: () => string;
  readonly #at = Date.now();
  readonly #startedAt = performance.now();
  readonly trace: string;
  /** What tells the service about the trace. */
  readonly edits: HeadEdits;
  #done = false;
  status = 0;
  bytes = 0;
  /** Until the first byte of the instance's reply, in ms since the request came. */
  #firstByteMs: number | null = null;
  #release: string | null = null;
  #instance: string | null = null;
  retries = 0;
  /** Who proved to be who, by basic authentication. */
  user: string | null = null;
  /** What the edge refused it for. */
  refusedBy: string | null = null;
  /** Why something did not work, for people. */
  detail: string | null = null;

  /** `service`: whose route it came to; null for nobody's. */
  constructor(
    log: AccessLog,
    { req, host, service }: { req: RequestParts['req']; host: string | null; service: string | null },
    client: () => string,
  ) {
    this.#service = service;
    this.#log = log;
    this.#req = req;
    this.#host = host;
    // As it came; a site may change it later.
    this.#url = req.url ?? '';
    this.#client = client;
    const given = one(req.headers['traceparent']);
    const known = traceIdOf(given);
    this.trace = known ?? randomHex(16);
    this.edits = known === null ? madeAnew(this.trace) : KEPT;
  }

  /** The head of a reply is there; `instance` is null for a file. */
  answered(status: number, release: string, instance: string | null): void {
    this.status = status;
    this.#release = release;
    this.#instance = instance;
    if (instance !== null) this.#firstByteMs = performance.now() - this.#startedAt;
  }

  /** The edge let nobody see it, and answered itself with so many bytes. */
  refused(status: number, by: string, bytes: number): void {
    this.status = status;
    this.bytes = bytes;
    this.refusedBy = by;
    this.finish('whole');
  }

  /** Once; whatever comes later is no news. */
  finish(end: End): void {
    if (this.#done) return;
    this.#done = true;
    const { settings, writer } = this.#log;
    const ms = performance.now() - this.#startedAt;
    const failed = this.status >= 500 || end === 'broken';
    const chosen = failed || ms >= settings.slowMs || Math.random() < settings.sample;
    if (chosen) writer.write(this.#line(end, ms));
  }

  #line(end: End, ms: number): string {
    const [path, query] = split(this.#url);
    const { settings } = this.#log;
    return JSON.stringify({
      at: new Date(this.#at).toISOString(),
      client: this.#client(),
      protocol: `HTTP/${this.#req.httpVersion}`,
      method: this.#req.method ?? '',
      host: this.#host?.slice(0, LONGEST_NAME) ?? null,
      path: path.slice(0, LONGEST_PATH),
      ...(settings.query && query !== undefined ? { query: redactQuery(query) } : {}),
      status: this.status,
      bytes: this.bytes,
      ms: rounded(ms),
      firstByteMs: this.#firstByteMs === null ? null : rounded(this.#firstByteMs),
      service: this.#service,
      release: this.#release,
      instance: this.#instance,
      retries: this.retries,
      trace: this.trace,
      ...(this.user === null ? {} : { user: this.user.slice(0, LONGEST_NAME) }),
      ...(this.refusedBy === null ? {} : { refusedBy: this.refusedBy }),
      ...(this.detail === null ? {} : { detail: this.detail.slice(0, LONGEST_NAME) }),
      ...(end === 'whole' ? {} : { end }),
    });
  }
}

const KEPT: HeadEdits = { drop: new Set(), add: '' };
const DROPPED: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

const madeAnew = (trace: string): HeadEdits => ({
  drop: DROPPED,
  add: `traceparent: ${traceparent(trace, randomHex(8))}\r\n`,
});

const one = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join(', ');

const rounded = (ms: number): number => Math.round(ms * 10) / 10;

function split(url: string): [string, string?] {
  const at = url.indexOf('?');
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}

const pool = Buffer.allocUnsafe(4096);
let used = pool.length;

/** Random bytes in hex, fetched in bulk. */
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}
