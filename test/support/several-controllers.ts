import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { ServerInfo } from '../../src/api/contract/server.ts';
import { isAlive } from '../../src/platform/process/identity.ts';
import { type CuttingProxy, cuttingProxy } from './cutting-proxy.ts';
import type { PostgresServer } from './postgres.ts';
import { openSystem, type System } from './system.ts';
import { waitFor } from './wait.ts';

export const LEASE_MS = 2_000;

export interface Several {
  system: System;
  /** The way of all controllers to their database. */
  way: CuttingProxy;
  /** Who answers, as soon as somebody with a higher fence than `after` does. */
  acting(after?: number): Promise<{ pid: number; fence: number }>;
  /** Processes of controllers that live. */
  alive(): Promise<number[]>;
  /** Waits until there are as many as there ought to be, and one of them acts. */
  complete(): Promise<void>;
  /** What the edge says to a command of this fence that changes nothing. */
  commandEdge(fence: number): Promise<{ applied: boolean; refused: { reason: string; detail: string } | null }>;
  /** From `act` until another controller answers, ms. */
  takeover(act: () => unknown): Promise<{ ms: number; from: number; to: number }>;
}

/** A server with several controllers on one database, started. `watched`: those that hang are killed, as by default. */
export async function severalControllers(
  postgres: PostgresServer,
  { count, watched = true, leaseMs = LEASE_MS }: { count: number; watched?: boolean; leaseMs?: number },
): Promise<Several> {
  // Closed after the system, which needs it to stop.
  const way = await cuttingProxy(postgres.socket);
  onTestFinished(() => way.close());
  const system = openSystem();
  const database = await postgres.newDatabase();
  system.env['EVENKEEL_DATABASE_URL'] = postgres.url(database, { host: way.host, port: way.port });
  system.env['EVENKEEL_CONTROLLERS'] = String(count);
  system.env['EVENKEEL_LEASE_MS'] = String(leaseMs);
  if (!watched) system.env['EVENKEEL_CONTROLLER_SILENCE_MS'] = '0';

  const acting: Several['acting'] = (after = 0) =>
    waitFor(
      async () => {
        const { pid, standing } = await ask(system);
        return standing !== undefined && standing.acts && standing.fence > after
          ? { pid, fence: standing.fence }
          : null;
      },
      { what: `a controller with a fence above ${after} to answer`, timeout: 60_000, interval: 25 },
    );
  const alive = async (): Promise<number[]> =>
    ((await system.keeperInfo()).controllers ?? [])
      .filter((each) => each.role !== 'starts' && isAlive(each.process))
      .map((each) => each.process.pid);
  await system.start();
  const several: Several = {
    system,
    way,
    acting,
    alive,
    async complete() {
      await acting();
      await waitFor(async () => (await alive()).length === count, { what: `${count} controllers`, timeout: 60_000 });
    },
    commandEdge: (fence) => edgeCommand(system.paths.edgeSocket, fence),
    async takeover(act) {
      const { fence } = await acting();
      const began = performance.now();
      await act();
      const { fence: to } = await acting(fence);
      return { ms: Math.round(performance.now() - began), from: fence, to };
    },
  };
  await several.complete();
  return several;
}

/** A connection that one who was stopped has accepted is not answered: another is tried soon. */
function ask(system: System): Promise<ServerInfo> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no answer')), 500);
  const answer = system.get<ServerInfo>('/api/v1/server');
  answer.catch(() => undefined);
  return Promise.race([answer, late.promise]).finally(() => clearTimeout(timer));
}

function edgeCommand(socketPath: string, fence: number): ReturnType<Several['commandEdge']> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ fence, services: [], remove: [] });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    request({ socketPath, method: 'POST', path: '/apply', headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(JSON.parse(text) as Awaited<ReturnType<Several['commandEdge']>>));
    })
      .on('error', reject)
      .end(body);
  });
}
