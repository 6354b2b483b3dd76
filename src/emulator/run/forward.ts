import { request as ask, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PassThrough, type Duplex } from 'node:stream';
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

/** How Google calls the status of a request whose client left before the answer. */
const LEFT = 499;

/** Passes a request to a program and its answer back. Resolves when both are over, whatever became of them. */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  to: Forwarding,
  cookie: string | null,
): Promise<void> {
  if (response.destroyed) {
    response.statusCode = LEFT;
    to.socket.destroy();
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    // No connection is used twice: one that the program closes at this moment would lose a request. And yet it is asked to
    // keep it: one that answers before it has read everything and closes would take its answer back by that.
    const upstream = ask({
      createConnection: () => to.socket,
      method: request.method,
      path: request.url,
      headers: { ...headersFor(request, to), connection: 'keep-alive' },
    });
    let answered = false;
    const over = () => {
      clearTimeout(timer);
      upstream.destroy();
      to.socket.destroy();
      request.unpipe(upstream);
      request.resume(); // the rest of one that was answered early, or the client never comes to its next
      resolve();
    };
    const fail = (status: number, text: string) => {
      if (answered) return;
      answered = true;
      if (response.headersSent) response.destroy();
      else {
        response.writeHead(status, { 'content-type': 'text/plain' });
        response.end(text);
      }
      over();
    };
    const timer = setTimeout(() => fail(504, 'upstream request timeout'), to.timeoutMs);
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
      answer.once('end', () => {
        answered = true;
      });
      answer.pipe(response);
    });
    upstream.on('error', (error) =>
      fail(503, `upstream connect error or disconnect/reset before headers: ${error.message}`),
    );
    request.pipe(upstream);
    request.once('error', () => upstream.destroy());
    response.once('close', () => {
      if (!response.headersSent) response.statusCode = LEFT;
      answered = true;
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
    let status = LEFT;
    // It is read from the beginning, or nobody would see that the client leaves.
    const received = socket.pipe(new PassThrough());
    socket.once('end', () => {
      if (status === LEFT) socket.destroy();
    });
    // A WebSocket may not outlive the request's time either.
    const timer = setTimeout(() => socket.destroy(), to.timeoutMs);
    const over = () => {
      clearTimeout(timer);
      upstream.destroy();
      to.socket.destroy();
      resolve(status);
    };
    upstream.once('upgrade', (answer, peer, first) => {
      status = 101;
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${rawHeaders(answer)}\r\n`);
      if (first.length > 0) socket.write(first);
      if (head.length > 0) peer.write(head);
      peer.on('error', () => socket.destroy());
      peer.once('close', () => socket.destroy());
      peer.pipe(socket);
      received.pipe(peer);
    });
    upstream.once('response', (answer) => {
      status = answer.statusCode ?? 502;
      socket.write(
        `HTTP/1.1 ${status} ${answer.statusMessage ?? ''}\r\n${rawHeaders(answer, true)}connection: close\r\n\r\n`,
      );
      answer.pipe(socket);
      answer.once('error', () => socket.destroy());
    });
    upstream.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    upstream.end();
    // The client may leave at any moment, and may have left while there was no instance.
    if (socket.destroyed) over();
    else socket.once('close', over);
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
