import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Raw } from '../core/api.ts';
import type { Api, Door, Reply } from '../core/api.ts';
import { errorBody, GoogleError } from '../core/google-error.ts';
import type { World } from '../core/world.ts';
import { dispatch, unknownPath } from './dispatch.ts';
import { holdsOperation } from './holds.ts';
import { KEPT_MS } from './kept.ts';
import { Router } from './router.ts';
import { targetOf } from './target.ts';
import type { Target } from './target.ts';
import { Uploads } from './uploads.ts';

/** The HTTP side of the emulator: doors first, then Google's methods. */
export class EmulatorServer {
  private readonly world: World;
  private readonly doors: readonly Door[];
  private readonly router: Router;
  private readonly uploads = new Uploads();
  private readonly server: Server;
  private readonly closing = new AbortController();
  /** Connections that speak something else by now: the server knows them no longer, and yet waits for them. */
  private readonly upgraded = new Set<Duplex>();

  constructor(world: World, apis: readonly Api[], doors: readonly Door[]) {
    this.world = world;
    this.doors = doors;
    this.router = new Router(apis);
    this.server = createServer(
      { requestTimeout: 0, keepAliveTimeout: KEPT_MS },
      (request, response) => void this.serve(request, response),
    );
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(request, socket, head),
    );
    this.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      socket.end('HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  }

  /** Listens on loopback; port 0 is any free one. The answer is the URL. */
  async listen(port: number, host = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    const { port: given } = this.server.address() as AddressInfo;
    return `http://${host}:${String(given)}`;
  }

  async close(): Promise<void> {
    this.closing.abort();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    for (const socket of this.upgraded) socket.destroy();
    await closed;
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.upgraded.add(socket);
    socket.once('close', () => this.upgraded.delete(socket));
    const { host, path } = targetOf(request);
    const door = this.doors.find((one) => one.upgrade !== undefined && one.opens(host, path));
    if (door?.upgrade !== undefined) door.upgrade(request, socket, head, this.world);
    else socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request);
    const door = this.doors.find((one) => one.opens(target.host, target.path));
    try {
      if (door === undefined) await this.call(request, response, target);
      else await door.handle(request, response, this.world);
    } catch (error) {
      if (response.headersSent || this.closing.signal.aborted) response.destroy();
      else sendError(response, error, 'details');
    }
  }

  private async call(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    await this.world.operations.settle();
    const httpMethod = overridden(request);
    // Pieces of a resumable upload are put where the upload was begun.
    const lookedUp = httpMethod === 'PUT' && target.query.has('upload_id') ? 'POST' : httpMethod;
    const found = this.router.find(target.host, lookedUp, target.path, (one) => holdsOperation(one, this.world));
    const logged = this.world.calls.begin({
      method: found?.route.method.id ?? 'unknown',
      document: found?.api.document ?? '',
      httpMethod,
      path: target.path,
    });
    try {
      if (found === null) throw unknownPath(target);
      const context = { world: this.world, uploads: this.uploads, signal: this.closing.signal };
      const outcome = await dispatch(context, request, target, found);
      if ('cut' in outcome) response.destroy();
      else if (!('hang' in outcome)) logged.status = send(response, outcome.reply);
    } catch (error) {
      await this.world.state.flush();
      logged.status = sendError(response, error, found?.api.errors ?? 'details');
    }
  }
}

/** Long queries are posted with the method they mean in a header. */
function overridden(request: IncomingMessage): string {
  const header = request.headers['x-http-method-override'];
  return (typeof header === 'string' ? header : (request.method ?? 'GET')).toUpperCase();
}

function send(response: ServerResponse, reply: Reply): number {
  if (reply instanceof Raw) {
    const length: Record<string, string> = reply.status === 204 ? {} : { 'content-length': String(reply.body.length) };
    response.writeHead(reply.status, { ...length, ...reply.headers });
    response.end(reply.body);
    return reply.status;
  }
  sendJson(response, 200, reply);
  return 200;
}

function sendError(response: ServerResponse, error: unknown, family: 'details' | 'reasons'): number {
  const known = error instanceof GoogleError ? error : unexpected(error);
  sendJson(response, known.http, errorBody(known, family), known.headers);
  return known.http;
}

const unexpected = (error: unknown): GoogleError =>
  new GoogleError(
    'INTERNAL',
    `The emulator failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = `${JSON.stringify(body, null, 2)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  });
  response.end(text);
}
