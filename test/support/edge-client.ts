import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { EdgeHarness, service } from './edge-harness.ts';
import { upstream } from './edge-upstream.ts';
import { freePort } from './free-port.ts';

/** An edge with one service of one instance. */
export async function behindEdge(
  handler: Parameters<typeof upstream>[1],
  env: Record<string, string> = {},
  changes: Parameters<typeof service>[3] = {},
) {
  const edge = new EdgeHarness(env);
  const { pid } = await edge.start();
  const api = await upstream('api', handler);
  const port = await freePort();
  await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }], changes));
  await edge.healthy(`api@1-${api.port}`);
  return { edge, api, port, pid };
}

/** A client that writes what it likes. */
export function open(port: number): { socket: Socket; answer: () => string; closed: Promise<unknown> } {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (answer += chunk));
  socket.on('end', () => socket.end());
  socket.on('error', () => undefined);
  return { socket, answer: () => answer, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

/** Sends bytes as they are and returns everything that comes until the connection closes. */
export async function raw(port: number, text: string): Promise<string> {
  const { socket, answer, closed } = open(port);
  socket.write(text, 'latin1');
  await closed;
  return answer();
}

/** What a process has open: paths, or `socket:[INODE]` and the like. */
export function opened(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return []; // closed meanwhile
    }
  });
}

export const fds = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
/** Resident memory, MiB. */
export const rss = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
