import { isHost } from '../../domain/traffic/host.ts';
import { PROBE_HEADER } from '../../domain/traffic/session.ts';
import { boundRest } from '../listen/client-connection.ts';
import { connectionLimit } from '../listen/connection-limit.ts';
import type { RequestHandler } from '../listen/http-server.ts';
import type { LiveTable } from '../live/table.ts';
import { AccessRecord } from '../access-log/access-record.ts';
import { Doorkeeper } from '../policy/doorkeeper.ts';
import type { LivePolicy } from '../policy/live-policy.ts';
import { isChallenge, secureLocation, tokenOf } from '../tls/redirect.ts';
import type { ClientReply, ClientRequest } from './client.ts';
import type { ProxyContext, Target } from './context.ts';
import { Exchange } from './exchange.ts';
import type { RequestParts, UpgradeRequest } from './forwarding.ts';
import { ownReply } from './own-reply.ts';
import { clientAddress, shapeOf } from './request-head.ts';

/** Receives every request of every port and sends it on its way. */
export class Front implements RequestHandler {
  readonly #context: ProxyContext;
  readonly #table: LiveTable;
  readonly #doorkeeper: Doorkeeper;
  #room: number | null = null;

  constructor(context: ProxyContext, table: LiveTable) {
    this.#context = context;
    this.#table = table;
    this.#doorkeeper = new Doorkeeper(context);
  }

  get full(): boolean {
    this.#room ??= connectionLimit();
    return this.#context.inFlight >= this.#room;
  }

  request(address: string, req: ClientRequest, res: ClientReply): void {
    this.#handle(address, req, res, null);
  }

  upgrade(address: string, req: ClientRequest, res: ClientReply, upgrade: UpgradeRequest): void {
    this.#handle(address, req, res, upgrade);
  }

  #handle(address: string, req: ClientRequest, res: ClientReply, upgrade: UpgradeRequest | null): void {
    this.#context.lookUp?.();
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
    if (req.misdirected === true) {
      this.#refuse(req, res, 421, probe);
      return;
    }
    const target: Target | null = path === null ? null : this.#table.match(address, host, path);
    if (target === null) {
      const stray = path === null ? null : this.#table.stray(address, host);
      if (stray === null) this.#refuse(req, res, path === null ? 400 : 404, probe);
      else this.#refuseStray(req, res, { host, probe, stray });
      return;
    }
    if (target.redirect !== undefined && !probe && this.#redirect(req, res, { ...target.redirect, host, path })) return;
    const { policy } = target;
    const plain = { req, res, target, shape, host: host ?? 'localhost', probe, upgrade, edits: null, record: null };
    if (policy === undefined || probe) {
      new Exchange(this.#context, plain).start();
      return;
    }
    const parts = policy.log === null ? plain : this.#recorded(plain, policy);
    if (target.ambiguous === true) {
      const bytes = this.#refuse(req, res, 400, probe);
      parts.record?.refused(400, 'path', bytes);
      return;
    }
    this.#doorkeeper.receive(parts, policy, (admitted) => new Exchange(this.#context, admitted).start());
  }

  #recorded(parts: RequestParts, policy: LivePolicy): RequestParts {
    if (policy.log === null) return parts;
    const client = (): string => this.#doorkeeper.client(parts.req, policy).address;
    const { req, host, target } = parts;
    const service = target.key.slice(target.key.lastIndexOf('/') + 1);
    const record = new AccessRecord(policy.log, { req, host, service }, client);
    return { ...parts, record, edits: record.edits };
  }

  /** A host that is known, and a path that is not: in the words of the others there. */
  #refuseStray(
    req: ClientRequest,
    res: ClientReply,
    { host, probe, stray }: { host: string | undefined; probe: boolean; stray: LivePolicy },
  ): void {
    const client = this.#doorkeeper.client(req, stray).address;
    const record =
      stray.log === null || probe
        ? null
        : new AccessRecord(stray.log, { req, host: host ?? null, service: null }, () => client);
    const bytes = this.#refuse(req, res, 404, probe, stray.pages?.get(404));
    record?.refused(404, 'route', bytes);
  }

  /** Sends a client that asks in plain to TLS; false: it is to be served as it is. */
  #redirect(
    req: ClientRequest,
    res: ClientReply,
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
  #prove(req: ClientRequest, res: ClientReply, path: string): boolean {
    const answer = this.#context.challenges.answerTo(tokenOf(path));
    if (answer === null || (req.method !== 'GET' && req.method !== 'HEAD')) return false;
    const closing = this.#context.draining ? ['Connection', 'close'] : [];
    const head = ['Content-Type', 'application/octet-stream', 'Content-Length', String(Buffer.byteLength(answer))];
    res.writeHead(200, [...head, 'Cache-Control', 'no-store', ...closing]);
    res.end(req.method === 'HEAD' ? undefined : answer);
    return true;
  }

  #refuse(req: ClientRequest, res: ClientReply, status: number, probe: boolean, page?: string): number {
    if (!probe) this.#context.book.unrouted++;
    // Who is not understood may mean something else by what follows, too.
    const closing = this.#context.draining || status !== 404 ? ['Connection', 'close'] : [];
    return ownReply(req, res, status, closing, { page: page ?? null });
  }
}

/**
 * Path without query and host of a request; an absolute target (`GET http://host/path`) is reduced to its path. The path
 * is null when the request names what is no host, or more than one: whoever reads it next might choose another.
 */
function addressOf(req: ClientRequest): { path: string | null; host: string | undefined } {
  let url = req.url ?? '/';
  let { host } = req.headers;
  if (hasTwoHosts(req.rawHeaders)) return { path: null, host };
  // Nobody but OPTIONS may ask everything.
  if (url === '*' && req.method !== 'OPTIONS') return { path: null, host };
  if (!url.startsWith('/') && url !== '*') {
    const absolute = /^https?:\/\/([^/?#@]+)(?=[/?#]|$)(.*)$/i.exec(url);
    if (absolute === null) return { path: null, host };
    host = absolute[1];
    url = absolute[2] === undefined || absolute[2] === '' ? '/' : absolute[2];
    if (!url.startsWith('/')) url = `/${url}`;
    req.url = url;
  }
  if (host !== undefined && !isHost(host)) return { path: null, host };
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
