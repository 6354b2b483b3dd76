import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { EdgeOptions } from '../options.ts';
import { answerClientError, cutStalled, InTurn, isAnswering } from './client-connection.ts';
import { connectionLimit } from './connection-limit.ts';

export interface RequestHandler {
  /** `address`: where it came in, as `bind:port`. */
  request(address: string, req: IncomingMessage, res: ServerResponse): void;
  upgrade(address: string, req: IncomingMessage, res: ServerResponse, socket: Socket, head: Buffer): void;
}

type ClientOptions = EdgeOptions['client'];

/** Without a byte either way, before the kernel asks whether the peer is still there. */
const KEEP_ALIVE_PROBE_MS = 60_000;

/** A server for one address (`bind:port`); it does not listen yet. */
export function createPlainServer(address: string, options: ClientOptions, handler: RequestHandler): Server {
  const server = createServer(httpOptions(options));
  server.on('clientError', answerClientError);
  return equip(server, address, options, handler);
}

/** The same over TLS: above the encryption it is the same server, and the same rules hold. */
export function createTlsServer(
  address: string,
  options: ClientOptions,
  handler: RequestHandler,
  tls: TlsOptions,
): SecureServer {
  const server = createSecureServer({ ...httpOptions(options), ...tls, handshakeTimeout: options.headersTimeoutMs });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Who does not speak TLS, or speaks it wrongly, could not read an answer.
    if (/^(HPE_|ERR_HTTP_)/.test(error.code ?? '')) answerClientError(error, socket);
    else socket.destroy();
  });
  return equip(server, address, options, handler);
}

const httpOptions = (options: ClientOptions): ServerOptions => ({
  headersTimeout: options.headersTimeoutMs,
  requestTimeout: options.requestTimeoutMs,
  keepAliveTimeout: options.keepAliveMs,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: options.maxHeaderBytes,
  noDelay: true,
  // A client that vanished without a word, in a stream that says nothing either, is found out by the kernel.
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
  insecureHTTPParser: false,
  // Anything else that asks for an upgrade (h2c) is answered as if it had not.
  shouldUpgradeCallback: (req) => isWebSocket(req),
});

function equip<S extends Server>(server: S, address: string, options: ClientOptions, handler: RequestHandler): S {
  const inTurn = new InTurn((req, res) => handler.request(address, req, res));
  const request = (req: IncomingMessage, res: ServerResponse): void => inTurn.request(req, res);
  // Node would leave out of `headers` what comes after the first 2,000, among it perhaps how the body is framed.
  server.maxHeadersCount = 0;
  server.maxConnections = connectionLimit();
  cutStalled(server, options.stallMs);
  server.on('request', request);
  // The go-ahead for a body is given when somebody is there to take it.
  server.on('checkContinue', request);
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined);
    // A WebSocket may be silent for as long as it likes.
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    if (isAnswering(socket)) {
      // Requests before it still wait for their replies; nobody does that in earnest.
      socket.destroy();
      return;
    }
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.on('finish', () => {
      res.detachSocket(socket);
      socket.destroySoon();
    });
    handler.upgrade(address, req, res, socket, head);
  });
  return server;
}

const isWebSocket = (req: IncomingMessage): boolean =>
  req.method === 'GET' && req.headers.upgrade?.toLowerCase() === 'websocket';
