import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Requests per second that wrk gets through, one thread, 32 keep-alive connections. Throws when any failed. */
export async function throughput(port: number, seconds: number): Promise<number> {
  const child = spawn('wrk', ['-t1', '-c32', `-d${seconds}s`, `http://127.0.0.1:${port}/`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const failed = /Non-2xx[^\n]*|Socket errors[^\n]*/.exec(output)?.[0];
  if (failed !== undefined) throw new Error(`on port ${port}: ${failed}`);
  return Number(/Requests\/sec:\s*([\d.]+)/.exec(output)?.[1] ?? Number.NaN);
}

export interface Latencies {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nhost: bench.example\r\nuser-agent: bench\r\n\r\n');
const CONNECTIONS = 16;

/**
 * Latencies at a fixed rate, measured from the moment at which each request was due (a late start counts as waiting,
 * so a stall is not hidden by the requests that it kept from being sent).
 */
export async function latencies(port: number, rate: number, seconds: number): Promise<Latencies> {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port)));
  const total = Math.round(rate * seconds);
  const taken: number[] = [];
  const free: Line[] = sockets.map((socket) => new Line(socket, (line, ms) => (taken.push(ms), free.push(line))));
  const start = performance.now() + 20;
  const due: number[] = [];
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    for (const socket of sockets) {
      socket.on('error', reject);
      socket.on('end', () => reject(new Error(`port ${port} closed a connection after ${taken.length} replies`)));
    }
    const late = setTimeout(
      () => reject(new Error(`port ${port}: ${taken.length} of ${total} replies`)),
      seconds * 1_000 + 10_000,
    );
    const tick = (): void => {
      const now = performance.now();
      while (next < total && start + (next * 1000) / rate <= now) due.push(start + (next++ * 1000) / rate);
      while (due.length > 0 && free.length > 0) free.pop()?.ask(due.shift() ?? now);
      if (taken.length >= total) {
        clearTimeout(late);
        resolve();
      } else setImmediate(tick);
    };
    tick();
  });
  for (const socket of sockets) socket.destroy();
  // The first tenth warms up.
  const sorted = taken.slice(Math.floor(total / 10)).toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** One connection with one request at a time. */
class Line {
  readonly #socket: Socket;
  #due = 0;
  #text = '';

  constructor(socket: Socket, answered: (line: Line, ms: number) => void) {
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#text += data.toString('latin1');
      if (!this.#text.endsWith('hello, world\n')) return;
      this.#text = '';
      answered(this, performance.now() - this.#due);
    });
  }

  ask(due: number): void {
    this.#due = due;
    this.#socket.write(REQUEST);
  }
}

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.on('error', reject);
  });

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
