import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { ApplyReply, EdgeState } from '../../domain/traffic/protocol.ts';
import type { EdgeStats } from '../../domain/traffic/stats.ts';

/** What the control interface asks of the edge. */
export interface ControlTarget {
  apply(command: unknown): Promise<ApplyReply>;
  state(): EdgeState;
  stats(): EdgeStats;
  /** A successor is about to take over: finish the command in hand and take no other. */
  quiesce(): Promise<void>;
}

const MAX_COMMAND_BYTES = 16 * 1024 * 1024;

/**
 * Commands over a unix socket that only its owner can open: the folder is 0700, the socket 0600. The socket is bound
 * beside its place and moved there, so a successor takes it over in one step.
 */
export class ControlServer {
  readonly #path: string;
  readonly #server: Server;

  constructor(path: string, target: ControlTarget) {
    this.#path = path;
    this.#server = createServer((req, res) => {
      // Whoever talks to a process that is being replaced must look the socket up again.
      res.setHeader('Connection', 'close');
      answer(target, req, res).catch((error: unknown) => {
        if (res.headersSent) res.destroy();
        else send(res, 500, { error: error instanceof Error ? error.message : String(error) });
      });
    });
  }

  async listen(): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    chmodSync(dirname(this.#path), 0o700);
    const beside = `${this.#path}.${process.pid}`;
    rmSync(beside, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(beside, resolve);
    });
    chmodSync(beside, 0o600);
    renameSync(beside, this.#path);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function answer(target: ControlTarget, req: IncomingMessage, res: ServerResponse): Promise<void> {
  switch (`${req.method ?? ''} ${req.url ?? ''}`) {
    case 'GET /state':
      send(res, 200, target.state());
      break;
    case 'GET /stats':
      send(res, 200, target.stats());
      break;
    case 'POST /apply':
      send(res, 200, await target.apply(await readJson(req)));
      break;
    case 'POST /quiesce':
      await target.quiesce();
      send(res, 200, {});
      break;
    default:
      send(res, 404, { error: 'POST /apply, GET /state or GET /stats' });
  }
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_COMMAND_BYTES) throw new Error('the command is too large');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function send(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  res.end(text);
}

/** Asks whoever answers at the socket to quiesce. Resolves whether there was anybody; never takes longer than asked. */
export function quiescePredecessor(path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const req = request({ socketPath: path, path: '/quiesce', method: 'POST', agent: false, timeout: timeoutMs });
    req.on('response', (res) => {
      res.resume();
      res.on('end', () => resolve(true));
      res.on('error', () => resolve(true));
    });
    req.on('timeout', () => req.destroy());
    req.on('error', () => resolve(false));
    req.end();
  });
}
