import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { opened } from './edge-client.ts';
import type { EdgeHarness, Reply } from './edge-harness.ts';
import { send } from './edge-harness.ts';

/** A client with one connection, which it keeps. */
export interface Caller {
  /** The worker that has accepted it. */
  readonly worker: number;
  readonly socket: Socket;
  ask(path?: string, headers?: Record<string, string>): Promise<Reply>;
}

/** The worker among `pids` that holds the other end of a connection to this machine. */
export function acceptedBy(socket: Socket, pids: readonly number[]): number {
  const hex = (port: number | undefined): string => (port ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const ends = new RegExp(`:${hex(socket.remotePort)} [0-9A-F]+:${hex(socket.localPort)} .*`);
  const line =
    readFileSync('/proc/net/tcp', 'latin1')
      .split('\n')
      .find((each) => ends.test(each)) ?? '';
  const inode = line.trim().split(/\s+/)[9];
  const holder = pids.find((pid) => opened(pid).includes(`socket:[${inode}]`));
  if (holder === undefined) throw new Error(`no worker has the connection from port ${socket.localPort}`);
  return holder;
}

async function call(edge: EdgeHarness, port: number): Promise<Caller> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  onTestFinished(() => agent.destroy());
  const ask: Caller['ask'] = (path = '/', headers = {}) => send({ port, path, agent, headers });
  // A connection waits in the kernel's queue until somebody has taken it: whoever answers has.
  await ask('/nowhere-yet');
  const worker = acceptedBy(socket, (await edge.state()).workers ?? []);
  return { worker, socket, ask };
}

/** Clients until every worker has `each` of them; how connections are spread is the kernel's business. */
export async function callers(edge: EdgeHarness, port: number, each = 1): Promise<Caller[]> {
  const { workers = [] } = await edge.state();
  const made: Caller[] = [];
  for (let round = 0; round < 40; round++) {
    made.push(...(await Promise.all(Array.from({ length: 5 }, () => call(edge, port)))));
    if (workers.every((pid) => made.filter(({ worker }) => worker === pid).length >= each)) return made;
  }
  throw new Error(`${made.length} connections have not reached every worker of ${workers.join(', ')}`);
}

/** One of them at a worker. */
export function at(all: readonly Caller[], worker: number): Caller {
  const found = all.find((each) => each.worker === worker);
  if (found === undefined) throw new Error(`nobody is connected to worker ${worker}`);
  return found;
}
