import { request as ask, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TokenHeader } from './identity.ts';

export interface Forwarding {
  /** A connection to the instance, open and new. */
  socket: Socket;
  timeoutMs: number;
  /** 32 hexadecimal digits. */
  trace: string;
  /** The header whose token let the request in; null: nobody was asked for one. */
  checked: TokenHeader | null;
}

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
]);

/** Connects to a program; null when nobody listens there (any more). */
export const dial = (port: number): Promise<Socket | null> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(null));
    socket.once('connect', () => resolve(socket));
  });

/** Passes a request to a program and its answer back. Resolves when both are over, whatever became of them. */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  to: Forwarding,
  cookie: string | null,
): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      resolve();
    };
    // No connection is kept: one that the program closes at this moment would lose a request.
    const upstream = ask({
      createConnection: () => to.socket,
      method: request.method,
      path: request.url,
      headers: headersFor(request, to),
    });
    const timer = setTimeout(() => {
      fail(504, 'upstream request timeout');
      upstream.destroy();
    }, to.timeoutMs);
    const fail = (status: number, text: string) => {
      if (response.headersSent) response.destroy();
      else {
        response.writeHead(status, { 'content-type': 'text/plain' });
        response.end(text);
      }
    };
    upstream.once('response', (answer) => {
      const headers: OutgoingHttpHeaders = {
        ...passed(answer.headers),
        'x-cloud-trace-context': to.trace,
        server: 'Google Frontend',
      };
      if (cookie !== null) headers['set-cookie'] = [...(answer.headers['set-cookie'] ?? []), cookie];
      response.writeHead(answer.statusCode ?? 502, headers);
      response.flushHeaders(); // an event stream may say nothing for long
      answer.once('error', () => response.destroy());
      answer.pipe(response);
    });
    upstream.once('error', (error) => {
      fail(503, `upstream connect error or disconnect/reset before headers: ${error.message}`);
      over();
    });
    request.pipe(upstream);
    request.once('error', () => upstream.destroy());
    response.once('close', () => {
      upstream.destroy();
      over();
    });
  });
}

/** Passes an upgrade (a WebSocket). Resolves with the status when it is over. */
export function forwardUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  to: Forwarding,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const upstream = ask({
      createConnection: () => to.socket,
      method: request.method,
      path: request.url,
      headers: { ...headersFor(request, to), connection: 'Upgrade', upgrade: request.headers.upgrade },
    });
    upstream.once('upgrade', (answer, peer, first) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${rawHeaders(answer)}\r\n`);
      if (first.length > 0) socket.write(first);
      if (head.length > 0) peer.write(head);
      // A WebSocket may not outlive the request's time either.
      const timer = setTimeout(() => socket.destroy(), to.timeoutMs);
      peer.on('error', () => socket.destroy());
      peer.once('close', () => socket.destroy());
      socket.once('close', () => {
        clearTimeout(timer);
        peer.destroy();
        resolve(101);
      });
      peer.pipe(socket).pipe(peer);
    });
    upstream.once('response', (answer) => {
      const status = answer.statusCode ?? 502;
      socket.write(
        `HTTP/1.1 ${status} ${answer.statusMessage ?? ''}\r\n${rawHeaders(answer, true)}connection: close\r\n\r\n`,
      );
      answer.pipe(socket);
      answer.once('error', () => socket.destroy());
      socket.once('close', () => resolve(status));
    });
    upstream.once('error', reject);
    upstream.end();
  });
}

function headersFor(request: IncomingMessage, { trace, checked }: Forwarding): OutgoingHttpHeaders {
  const from = request.socket.remoteAddress ?? '127.0.0.1';
  const before = request.headers['x-forwarded-for'];
  const token = checked === null ? undefined : request.headers[checked];
  return {
    ...passed(request.headers),
    host: request.headers.host,
    // Programs may read the identity token that let somebody in, and not use it again; a token of their own is theirs.
    ...(checked === null || typeof token !== 'string'
      ? {}
      : { [checked]: token.replace(/^(Bearer [^.]+\.[^.]+\.).+$/i, '$1SIGNATURE_REMOVED_BY_GOOGLE') }),
    'x-forwarded-proto': 'https',
    'x-forwarded-for': before === undefined ? from : `${String(before)},${from}`,
    forwarded: `for="${from}";proto=https`,
    'x-cloud-trace-context': `${trace}/${BigInt(`0x${trace.slice(0, 15)}`)};o=1`,
    traceparent: `00-${trace}-${trace.slice(0, 16)}-01`,
    ...(request.headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
  };
}

const passed = (headers: IncomingMessage['headers']): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && name !== 'upgrade'));

function rawHeaders({ rawHeaders: raw }: IncomingMessage, withoutHops = false): string {
  let text = '';
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (!withoutHops || !HOP_BY_HOP.has(name.toLowerCase())) text += `${name}: ${raw[at + 1] ?? ''}\r\n`;
  }
  return text;
}
