import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PROBE_HEADER } from '../../domain/traffic/session.ts';
import { boundRest } from '../listen/client-connection.ts';
import type { RequestHandler } from '../listen/http-server.ts';
import type { LiveTable } from '../live/table.ts';
import { isChallenge, secureLocation, tokenOf } from '../tls/redirect.ts';
import type { ProxyContext, Target } from './context.ts';
import { Exchange } from './exchange.ts';
import type { UpgradeRequest } from './forwarding.ts';
import { ownReply } from './own-reply.ts';
import { clientAddress, shapeOf } from './request-head.ts';

/** Receives every request of every port and sends it on its way. */
export class Front implements RequestHandler {
  readonly #context: ProxyContext;
  readonly #table: LiveTable;

  constructor(context: ProxyContext, table: LiveTable) {
    this.#context = context;
    this.#table = table;
  }

  request(address: string, req: IncomingMessage, res: ServerResponse): void {
    this.#handle(address, req, res, null);
  }

  upgrade(address: string, req: IncomingMessage, res: ServerResponse, socket: Socket, head: Buffer): void {
    this.#handle(address, req, res, { socket, head });
  }

  #handle(address: string, req: IncomingMessage, res: ServerResponse, upgrade: UpgradeRequest | null): void {
    const { path, host } = addressOf(req);
    if (upgrade !== null && (req.headers['content-length'] ?? req.headers['transfer-encoding']) !== undefined) {
      this.#refuse(req, res, 400, false);
      return;
    }
    if (path !== null && upgrade === null && isChallenge(path) && this.#prove(req, res, path)) return;
    const token = req.headers[PROBE_HEADER];
    const probe = typeof token === 'string' && this.#context.isProbe(token);
    const shape = shapeOf(req);
    if (shape?.hasBody !== false) boundRest(req, res);
    if (shape === null) {
      this.#refuse(req, res, 501, probe);
      return;
    }
    const target: Target | null = path === null ? null : this.#table.match(address, host, path);
    if (target === null) {
      this.#refuse(req, res, path === null ? 400 : 404, probe);
      return;
    }
    if (target.redirect !== undefined && !probe && this.#redirect(req, res, { ...target.redirect, host, path })) return;
    new Exchange(this.#context, { req, res, target, shape, host: host ?? 'localhost', probe, upgrade }).start();
  }

  /** Sends a client that asks in plain to TLS; false: it is to be served as it is. */
  #redirect(
    req: IncomingMessage,
    res: ServerResponse,
    to: { port: number; address: string; host: string | undefined; path: string | null },
  ): boolean {
    if (to.path === null || isChallenge(to.path) || !this.#context.servesTls(to.address)) return false;
    // A proxy before this edge has spoken TLS with the client already.
    if (req.headers['x-forwarded-proto'] === 'https' && this.#context.trusts(clientAddress(req))) return false;
    const location = secureLocation(req, to.host, to.port);
    const closing = this.#context.draining ? ['Connection', 'close'] : [];
    ownReply(req, res, location === null ? 400 : 308, location === null ? closing : ['Location', location, ...closing]);
    return true;
  }

  /** Answers whoever issues a certificate; false: it asks for nothing that was given to us, and may be meant for an instance. */
  #prove(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    const answer = this.#context.challenges.answerTo(tokenOf(path));
    if (answer === null || (req.method !== 'GET' && req.method !== 'HEAD')) return false;
    const closing = this.#context.draining ? ['Connection', 'close'] : [];
    const head = ['Content-Type', 'application/octet-stream', 'Content-Length', String(Buffer.byteLength(answer))];
    res.writeHead(200, [...head, 'Cache-Control', 'no-store', ...closing]);
    res.end(req.method === 'HEAD' ? undefined : answer);
    return true;
  }

  #refuse(req: IncomingMessage, res: ServerResponse, status: number, probe: boolean): void {
    if (!probe) this.#context.book.unrouted++;
    ownReply(req, res, status, this.#context.draining || status === 501 ? ['Connection', 'close'] : []);
  }
}

/**
 * Path without query and host of a request; an absolute target (`GET http://host/path`) is reduced to its path. The path
 * is null when the request names no host, or more than one: whoever reads it next might choose another.
 */
function addressOf(req: IncomingMessage): { path: string | null; host: string | undefined } {
  let url = req.url ?? '/';
  let { host } = req.headers;
  if (hasTwoHosts(req.rawHeaders)) return { path: null, host };
  if (!url.startsWith('/') && url !== '*') {
    const absolute = /^https?:\/\/([^/?#@]+)(?=[/?#]|$)(.*)$/i.exec(url);
    if (absolute === null) return { path: null, host };
    host = absolute[1];
    url = absolute[2] === undefined || absolute[2] === '' ? '/' : absolute[2];
    if (!url.startsWith('/')) url = `/${url}`;
    req.url = url;
  }
  const query = url.indexOf('?');
  return { path: query < 0 ? url : url.slice(0, query), host };
}

function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}
