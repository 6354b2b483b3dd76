import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { ChallengeReply } from '../../domain/traffic/challenges.ts';
import type { ApplyReply, EdgeState } from '../../domain/traffic/protocol.ts';
import type { EdgeStats } from '../../domain/traffic/stats.ts';

/** What the control interface asks of the edge. */
export interface ControlTarget {
  apply(command: unknown): Promise<ApplyReply>;
  challenge(command: unknown): Promise<ChallengeReply>;
  state(): Promise<EdgeState>;
  stats(): Promise<EdgeStats>;
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

  /** Takes the place at the socket again, after whoever had it is gone. Best effort: without it, the next start helps. */
  async takePlace(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    await this.listen().catch(() => undefined);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function answer(target: ControlTarget, req: IncomingMessage, res: ServerResponse): Promise<void> {
  switch (`${req.method ?? ''} ${req.url ?? ''}`) {
    case 'GET /state':
      send(res, 200, await target.state());
      break;
    case 'GET /stats':
      send(res, 200, await target.stats());
      break;
    case 'POST /apply':
      send(res, 200, await target.apply(await readJson(req)));
      break;
    case 'POST /challenges':
      send(res, 200, await target.challenge(await readJson(req)));
      break;
    case 'GET /pid':
      send(res, 200, process.pid);
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

/** Asks whoever answers at the socket to quiesce. Resolves also when there is nobody, at the latest when time is up. */
export async function quiescePredecessor(path: string, timeoutMs: number): Promise<void> {
  await call(path, 'POST', '/quiesce', timeoutMs);
}

/** The process that answers at the socket, or null. */
export async function whoAnswers(path: string, timeoutMs: number): Promise<number | null> {
  const pid = Number((await call(path, 'GET', '/pid', timeoutMs)) ?? Number.NaN);
  return Number.isInteger(pid) ? pid : null;
}

/** The reply's text, or null when there was none. */
function call(socketPath: string, method: string, path: string, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const req = request({ socketPath, path, method, agent: false, timeout: timeoutMs });
    let text = '';
    req.on('response', (res) => {
      res.on('data', (chunk: Buffer) => (text += String(chunk)));
      res.on('end', () => resolve(text));
      res.on('error', () => resolve(null));
    });
    req.on('timeout', () => req.destroy());
    req.on('error', () => resolve(null));
    req.end();
  });
}
