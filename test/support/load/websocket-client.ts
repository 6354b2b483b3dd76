import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, kindOfError, requestOptions } from './http-request.ts';
import type { Target } from './options.ts';
import type { FailureKind } from './report.ts';
import type { Session } from './session.ts';

const OP = { text: 1, close: 8, ping: 9, pong: 10 } as const;
/** What an end without a close frame is called (RFC 6455, 7.1.5). */
export const ABNORMAL = 1006;

export type Opened =
  | { readonly ok: true; readonly socket: ClientSocket; readonly headers: IncomingHttpHeaders }
  | {
      readonly ok: false;
      readonly kind: FailureKind;
      readonly detail: string;
      readonly refusal?: { readonly status: number; readonly headers: IncomingHttpHeaders };
    };

/** Tries once. Never throws. */
export function openWebSocket(target: Target, path: string, session: Session, timeoutMs: number): Promise<Opened> {
  return new Promise((resolve) => {
    const key = randomBytes(16).toString('base64');
    const req = request({
      ...requestOptions({
        target,
        session,
        method: 'GET',
        path,
        auth: true,
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': key,
        },
      }),
      agent: false,
    });
    const timer = setTimeout(() => {
      settle({ ok: false, kind: 'timeout', detail: `no answer within ${timeoutMs} ms` });
      req.destroy();
    }, timeoutMs);
    const settle = (opened: Opened) => {
      clearTimeout(timer);
      resolve(opened);
    };
    req.on('error', (error) => settle({ ok: false, kind: kindOfError(error), detail: describe(error) }));
    req.on('response', (res) => {
      const { statusCode: status = 0, headers } = res;
      res.on('error', () => undefined).resume();
      const kind = status >= 500 ? '5xx' : 'status';
      settle({ ok: false, kind, detail: `status ${status} instead of 101`, refusal: { status, headers } });
    });
    req.on('upgrade', (res, socket, head) => {
      session.keepCookies(res.headers);
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      if (res.headers['sec-websocket-accept'] !== accept) {
        socket.destroy();
        settle({ ok: false, kind: 'wrong-body', detail: 'sec-websocket-accept does not match' });
        return;
      }
      settle({ ok: true, socket: new ClientSocket(socket, head), headers: res.headers });
    });
    req.end();
  });
}

/** The client's side of RFC 6455 for text messages, without extensions. */
export class ClientSocket {
  /** Resolves to the close code, `ABNORMAL` if there was none, and what else is known. */
  readonly closed: Promise<{ readonly code: number; readonly detail: string }>;
  onText: (text: string) => void = () => undefined;
  readonly #socket: Duplex;
  #received: Buffer;
  #fragments: Buffer[] = [];
  #code: number | undefined;

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.#received = head;
    let detail = 'the connection ended without a close frame';
    this.closed = new Promise((resolve) => {
      socket.on('error', (error) => (detail = describe(error)));
      socket.on('close', () => {
        if (this.#received.length > 0 && this.#code === undefined) detail += ', inside a frame';
        resolve({ code: this.#code ?? ABNORMAL, detail });
      });
    });
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#readFrames();
    });
    if (head.length > 0) setImmediate(() => this.#readFrames());
  }

  send(text: string): void {
    this.#write(OP.text, Buffer.from(text));
  }

  /** Says goodbye and waits for the answer; lets go after two seconds. */
  async close(): Promise<void> {
    this.#write(OP.close, Buffer.from([0x03, 0xe8]));
    const timer = setTimeout(() => this.#socket.destroy(), 2000);
    await this.closed;
    clearTimeout(timer);
  }

  /** Lets go at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #readFrames(): void {
    while (this.#received.length >= 2) {
      const [first = 0, second = 0] = this.#received;
      let length = second & 0x7f;
      let offset = 2;
      if (length === 126) {
        if (this.#received.length < 4) return;
        length = this.#received.readUInt16BE(2);
        offset = 4;
      } else if (length === 127) {
        if (this.#received.length < 10) return;
        length = Number(this.#received.readBigUInt64BE(2));
        offset = 10;
      }
      if (this.#received.length < offset + length) return;
      const payload = this.#received.subarray(offset, offset + length);
      this.#received = this.#received.subarray(offset + length);
      this.#handle(first & 0x0f, (first & 0x80) !== 0, payload);
    }
  }

  #handle(opcode: number, final: boolean, payload: Buffer): void {
    if (opcode === OP.ping) this.#write(OP.pong, payload);
    else if (opcode === OP.close) {
      this.#code ??= payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#write(OP.close, payload.subarray(0, 2));
      // The server ends the connection; a proxy that forgets to does not keep us.
      const timer = setTimeout(() => this.#socket.destroy(), 2000);
      this.#socket.once('close', () => clearTimeout(timer));
    } else if (opcode !== OP.pong) {
      this.#fragments.push(payload);
      if (final) this.onText(Buffer.concat(this.#fragments.splice(0)).toString('utf8'));
    }
  }

  #write(opcode: number, payload: Buffer): void {
    if (!this.#socket.writable) return;
    const mask = randomBytes(4);
    const header = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
    header[0] = 0x80 | opcode;
    header[1] = 0x80 | Math.min(payload.length, 126);
    if (payload.length >= 126) header.writeUInt16BE(payload.length, 2);
    const masked = payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0));
    this.#socket.write(Buffer.concat([header, mask, masked]));
  }
}
