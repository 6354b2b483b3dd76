import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { EdgePolicy } from '../../domain/traffic/policy.ts';
import { PROBE_HEADER } from '../../domain/traffic/session.ts';
import type { RequestParts } from '../proxy/forwarding.ts';
import type { HeadEdits } from './head-edits.ts';
import { isDropped } from './head-edits.ts';

export type ForwardAuth = NonNullable<EdgePolicy['forwardAuth']>;

export interface Asked {
  readonly req: RequestParts['req'];
  readonly host: string;
  readonly proto: string;
  /** As it is told to services. */
  readonly chain: string;
  /** What services are not shown, nobody else is either. */
  readonly edits: HeadEdits | null;
}

export type Answer =
  | { readonly kind: 'let-in'; readonly edits: HeadEdits }
  /** What the client is answered. */
  | { readonly kind: 'refused'; readonly status: number; readonly headers: string[]; readonly body: Buffer }
  | { readonly kind: 'failed'; readonly why: string };

/** At once, by all workers together; who comes then is refused, so that a judge that hangs does not gather everybody who waits for it. */
const MOST = 256;
/** Of an answer that is passed on. */
const MAX_BODY = 256 * 1024;

const NOT_ASKED = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'content-encoding',
  'upgrade',
  'expect',
  'host',
  'forwarded',
  'range',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'accept-encoding',
  PROBE_HEADER,
]);
const NOT_ANSWERED = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'trailer', 'upgrade']);

/** Asks somebody else whether a request may pass. Its body stays where it is: nobody is shown it before. */
export class Judges {
  readonly #most: number;
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;
  #asking = 0;

  /** `workers`: that share what may be asked at once. */
  constructor(workers: number) {
    this.#most = Math.ceil(MOST / workers);
    const options = { keepAlive: true, maxSockets: this.#most, maxFreeSockets: 16 };
    this.#plain = new PlainAgent(options);
    this.#secure = new SecureAgent(options);
  }

  async ask({ url, timeoutMs, headers }: ForwardAuth, asked: Asked): Promise<Answer> {
    if (url === null) return failed('whoever is to be asked has no address');
    if (this.#asking >= this.#most) return failed(`${this.#most} requests wait for its answers already`);
    this.#asking++;
    try {
      return await this.#exchange(new URL(url), timeoutMs, headers, asked);
    } finally {
      this.#asking--;
    }
  }

  #exchange(url: URL, timeoutMs: number, copied: readonly string[], asked: Asked): Promise<Answer> {
    return new Promise((resolve) => {
      const secure = url.protocol === 'https:';
      const outgoing = (secure ? secureRequest : plainRequest)(url, {
        method: 'GET',
        agent: secure ? this.#secure : this.#plain,
        headers: question(url, asked),
        maxHeaderSize: 32 * 1024,
      });
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      const give = (why: string): void => {
        settle(failed(why));
        outgoing.destroy();
      };
      const timer = setTimeout(() => give(`no answer within ${timeoutMs} ms`), timeoutMs);
      outgoing.on('error', (error) => give(error.message));
      outgoing.on('response', (reply) => {
        const status = reply.statusCode ?? 0;
        const chunks: Buffer[] = [];
        let bytes = 0;
        reply.on('error', (error) => give(error.message));
        reply.on('aborted', () => give('the answer broke off'));
        reply.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_BODY) give(`the answer is longer than ${MAX_BODY / 1024} KiB`);
          else chunks.push(chunk);
        });
        reply.on('end', () => {
          if (status >= 200 && status < 300) settle({ kind: 'let-in', edits: copy(reply, copied) });
          else settle({ kind: 'refused', status, headers: passedOn(reply), body: Buffer.concat(chunks) });
        });
      });
      outgoing.end();
    });
  }
}

const failed = (why: string): Answer => ({ kind: 'failed', why });

/** All that the client says, and what the edge knows of it. A flat list keeps what is said twice. */
function question(url: URL, { req, host, proto, chain, edits }: Asked): string[] {
  const told: string[] = ['Host', url.host];
  const { rawHeaders } = req;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const plain = name.toLowerCase().replaceAll('_', '-');
    if (NOT_ASKED.has(plain) || plain.startsWith('x-forwarded-') || plain.startsWith('sec-websocket-')) continue;
    if (edits !== null && isDropped(edits, name.toLowerCase())) continue;
    told.push(name, rawHeaders[i + 1] ?? '');
  }
  return [
    ...told,
    'X-Forwarded-Method',
    req.method ?? 'GET',
    'X-Forwarded-Uri',
    req.url ?? '/',
    'X-Forwarded-Host',
    host,
    'X-Forwarded-Proto',
    proto,
    'X-Forwarded-For',
    chain,
  ];
}

/** Headers of the answer for the service. What a client sends under these names is never passed on. */
function copy(reply: IncomingMessage, names: readonly string[]): HeadEdits {
  let add = '';
  for (const name of names) {
    const value = reply.headers[name];
    if (value !== undefined) add += `${name}: ${Array.isArray(value) ? value.join(', ') : value}\r\n`;
  }
  return { drop: new Set(names), add };
}

function passedOn({ rawHeaders }: IncomingMessage): string[] {
  const headers: string[] = [];
  let mayBeKept = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (NOT_ANSWERED.has(lower)) continue;
    if (lower === 'cache-control') mayBeKept = true;
    headers.push(name, rawHeaders[i + 1] ?? '');
  }
  return mayBeKept ? headers : [...headers, 'Cache-Control', 'no-store'];
}
