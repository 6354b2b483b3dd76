import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import { buildRouteTable, matchRoute, type RouteTable } from '../../domain/traffic/route-table.ts';
import type { Route } from '../../domain/project/project.ts';
import { StaticSite } from '../../edge/static/site.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { DevService } from './service.ts';

/** What answers on a route: a program, or a folder as it is at that moment. */
export type Behind = { service: DevService } | { folder: string; spa: boolean; prefix: string; name: string };

export interface FrontOptions {
  port: number;
  bind: string;
  routes: readonly (Route & { behind: Behind })[];
}

export interface Front {
  /** Cuts what is open. */
  close(): Promise<void>;
}

/** A request waits so long for a program that starts, ms. */
const HOLD_MS = 20_000;

/**
 * The one address of all routes, as the edge has it in production: by host, then by the longest path. Requests for a
 * program that starts wait for it. Throws `port-taken` or `port-refused`.
 */
export async function openFront(options: FrontOptions): Promise<Front> {
  const front = new RoutingFront(options);
  await front.listen();
  return front;
}

class RoutingFront implements Front {
  readonly #options: FrontOptions;
  readonly #table: RouteTable<Behind>;
  readonly #server: Server;
  readonly #tunnels = new Set<Duplex>();
  readonly #over = new AbortController();

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#table = buildRouteTable(options.routes.map(({ host, path, behind }) => ({ host, path, target: behind })));
    // A program may take as long as its author needs in the debugger.
    this.#server = createServer({ requestTimeout: 0 }, (req, res) => void this.#answer(req, res));
    this.#server.on('upgrade', (req, socket, head) => void this.#tunnel(req, socket, head));
  }

  listen(): Promise<void> {
    const { port, bind } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(unusable(bind, port, error)));
      this.#server.listen({ port, host: bind }, resolve);
    });
  }

  async close(): Promise<void> {
    this.#over.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    for (const socket of this.#tunnels) socket.destroy();
    await closed;
  }

  #behind(req: IncomingMessage): Behind | null {
    return matchRoute(this.#table, req.headers.host, (req.url ?? '/').split('?', 1)[0] ?? '/');
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const behind = this.#behind(req);
    if (behind === null) return say(res, 404, 'No route of evenkeel.yaml leads here.');
    if ('folder' in behind) return serveFolder(behind, req, res);
    const why = await this.#unavailable(behind.service);
    if (res.destroyed) return;
    if (why !== null) return say(res, 503, why);
    this.#forward(behind.service, req, res);
  }

  #forward({ name, host, port }: DevService, req: IncomingMessage, res: ServerResponse): void {
    // No connection is kept: a program that was started anew would not know it.
    const upstream = request({
      host,
      port,
      method: req.method,
      path: req.url,
      headers: headersFor(req),
      agent: false,
    });
    upstream.on('error', (error) => {
      if (res.headersSent) res.destroy();
      else say(res, 502, `${name} gave no valid answer: ${error.message}. Its output is in the terminal.`);
    });
    upstream.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHops(answer.rawHeaders));
      // Headers of an event stream must not wait for its first event.
      res.flushHeaders();
      pipeline(answer, res, () => {});
    });
    res.on('close', () => {
      if (!res.writableFinished) upstream.destroy();
    });
    // Not as a pipeline: that would cut the client off before it was told what went wrong.
    req.pipe(upstream);
  }

  async #tunnel(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const behind = this.#behind(req);
    const why = behind === null || 'folder' in behind ? 'nothing to upgrade' : await this.#unavailable(behind.service);
    if (behind === null || 'folder' in behind || why !== null) {
      socket.end(`HTTP/1.1 ${why === 'nothing to upgrade' ? '404 Not Found' : '503 Service Unavailable'}\r\n\r\n`);
      return;
    }
    const { host, port } = behind.service;
    const upstream = connect({ host, port: port ?? 0 });
    this.#tunnels.add(socket).add(upstream);
    upstream.once('connect', () => {
      upstream.write(`${req.method} ${req.url} HTTP/1.1\r\n${headerLines(req)}\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
      this.#tunnels.delete(socket);
      this.#tunnels.delete(upstream);
    };
    for (const each of [socket, upstream]) each.on('error', end).on('close', end);
  }

  /** Why a program cannot be asked now, after waiting for it to start; null when it can. */
  async #unavailable(service: DevService): Promise<string | null> {
    await service.until((state) => state === 'ready' || state === 'ended', this.#over.signal, HOLD_MS);
    if (service.state === 'ready') return null;
    if (service.state === 'ended') return `${service.name} ended ${service.how}. Its output is in the terminal.`;
    const trouble = service.trouble === '' ? '' : `: ${service.trouble}`;
    const waits =
      service.state === 'waiting' ? 'waits for the services in its `after`' : `is not healthy yet${trouble}`;
    return `${service.name} ${waits}. Its output is in the terminal.`;
  }
}

function serveFolder(behind: Extract<Behind, { folder: string }>, req: IncomingMessage, res: ServerResponse): void {
  // A new one each time: it remembers what it found, and here the files change under it.
  const site = new StaticSite(behind.folder, behind.spa);
  site.serve(req, res, {
    prefix: behind.prefix,
    elsewhere: [],
    started: () => {},
    // Whatever its name says: a build of the next minute may give it another content.
    shared: () => [],
    privately: () => [],
  });
}

const HOPS = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

/** Raw, so that repeated headers and the way they are written stay. */
function withoutHops(raw: readonly string[]): string[] {
  return pairs(raw).flatMap(([name, value]) => (HOPS.has(name.toLowerCase()) ? [] : [name, value]));
}

function headersFor(req: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(req.headersDistinct)) {
    if (value !== undefined && !HOPS.has(name)) headers[name] = value.length === 1 ? (value[0] ?? '') : value;
  }
  // A body of unknown length stays one.
  if (req.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
  return { ...headers, ...forwarded(req) };
}

function headerLines(req: IncomingMessage): string {
  const own = forwarded(req);
  const kept = pairs(req.rawHeaders).filter(([name]) => !(name.toLowerCase() in own));
  return [...kept, ...Object.entries(own)].map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

/** What the edge tells programs about who asks; nobody stands before this front. */
const forwarded = (req: IncomingMessage): Record<string, string> => ({
  'x-forwarded-for': req.socket.remoteAddress ?? '',
  'x-forwarded-proto': 'http',
  'x-forwarded-host': req.headers.host ?? '',
});

const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as [string, string]] : []));

function say(res: ServerResponse, status: number, text: string): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  res.end(`${text}\n`);
}

function unusable(bind: string, port: number, error: NodeJS.ErrnoException): EvenkeelError {
  const taken = error.code === 'EADDRINUSE';
  return new EvenkeelError({
    code: taken ? 'port-taken' : 'port-refused',
    what: `the address of the environment, ${bind}:${port}, cannot be listened on`,
    why: taken ? 'another program has it, perhaps `evenkeel up` or another `evenkeel dev`' : error.message,
    next: taken
      ? 'stop that one (`evenkeel down`), or choose another port: evenkeel dev --port PORT'
      : 'choose another port: evenkeel dev --port PORT',
    cause: error,
  });
}
