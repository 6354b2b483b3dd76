import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { Http2Sessions } from '../http2/sessions.ts';
import type { EdgeOptions } from '../options.ts';
import type { ClientReply, ClientRequest } from '../proxy/client.ts';
import type { UpgradeRequest } from '../proxy/forwarding.ts';
import { ownReply } from '../proxy/own-reply.ts';
import { answerClientError, cutStalled, InTurn, isAnswering } from './client-connection.ts';
import { connectionLimit } from './connection-limit.ts';

export interface RequestHandler {
  /** `address`: where it came in, as `bind:port`. */
  request(address: string, req: ClientRequest, res: ClientReply): void;
  upgrade(address: string, req: ClientRequest, res: ClientReply, upgrade: UpgradeRequest): void;
  /** As many requests are under way as there is room for. */
  readonly full: boolean;
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

/**
 * The same over TLS: above the encryption it is the same server, and the same rules hold. Who agreed on HTTP/2 in the
 * handshake is handed to the sessions.
 */
export function createTlsServer(
  address: string,
  options: ClientOptions,
  handler: RequestHandler,
  tls: TlsOptions,
): { server: SecureServer; sessions: Http2Sessions } {
  const server = createSecureServer({ ...httpOptions(options), ...tls, handshakeTimeout: options.headersTimeoutMs });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Who does not speak TLS, or speaks it wrongly, could not read an answer.
    if (/^(HPE_|ERR_HTTP_)/.test(error.code ?? '')) answerClientError(error, socket);
    else socket.destroy();
  });
  const sessions = new Http2Sessions(address, options, handler, (host) => hasCertificate(tls, host));
  const [http1] = server.listeners('secureConnection') as ((this: SecureServer, socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === 'h2') sessions.adopt(socket);
    else http1?.call(server, socket);
  });
  return { server: equip(server, address, options, handler), sessions };
}

/** There is one for exactly this host, or for its like, not the one that everybody else is shown. */
function hasCertificate({ SNICallback }: TlsOptions, host: string): boolean {
  let found = false;
  // Answered at once.
  SNICallback?.(host, (_error, context) => (found = context !== undefined));
  return found;
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
  const inTurn = new InTurn((req, res) => {
    const flaw = flawOf(req);
    // After an upgrade that was not granted llhttp forgets what came in the same packet: nothing may follow it.
    if (req.headers.upgrade !== undefined) res.shouldKeepAlive = false;
    if (flaw === null) handler.request(address, req, res);
    else ownReply(req, res, flaw, ['Connection', 'close']);
  });
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
    if (isAnswering(socket) || socket.writableEnded) {
      // Requests before it still wait for their replies, or were told that this connection ends.
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
    handler.upgrade(address, req, res, { socket, head, detach: () => res.detachSocket(socket) });
  });
  return server;
}

/** What llhttp lets pass although nobody means it well: the status that refuses it, or null. */
function flawOf({ httpVersion, headers }: IncomingMessage): number | null {
  if (httpVersion === '1.1') return null;
  if (httpVersion !== '1.0') return 505;
  // HTTP/1.0 knows no codings; whoever is before this edge may have read the body in another way (RFC 9112, 6.1).
  return headers['transfer-encoding'] === undefined ? null : 400;
}

const isWebSocket = (req: IncomingMessage): boolean =>
  req.method === 'GET' && req.httpVersion === '1.1' && req.headers.upgrade?.toLowerCase() === 'websocket';
