import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Probe } from './shapes.ts';

/** How often a program that is starting is looked at, ms. Cloud Run is slower; nobody wants to wait for that here. */
const EVERY = 40;

export interface Probing {
  probe: Probe | undefined;
  /** Where the program listens. */
  port: number;
  /** At most so long, ms, whatever the probe allows. */
  atMostMs: number;
  signal: AbortSignal;
}

/** Resolves with true once the program answers as its startup probe wants it, false when the time for it is over. */
export async function started({ probe, port, atMostMs, signal }: Probing): Promise<boolean> {
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3, timeoutSeconds = 1 } = probe ?? {};
  const allowed = (initialDelaySeconds + periodSeconds * failureThreshold) * 1000;
  const deadline = performance.now() + Math.min(allowed, atMostMs);
  while (!signal.aborted && performance.now() < deadline) {
    if (await answers(probe, port, Math.min(timeoutSeconds * 1000, 10_000))) return !signal.aborted;
    await sleep(EVERY, undefined, { signal }).catch(() => {});
  }
  return false;
}

function answers(probe: Probe | undefined, port: number, timeout: number): Promise<boolean> {
  const http = probe?.httpGet;
  return http === undefined ? takesConnections(port, timeout) : getsOk(http, port, timeout);
}

const takesConnections = (port: number, timeout: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout });
    const end = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });

const getsOk = (http: NonNullable<Probe['httpGet']>, port: number, timeout: number): Promise<boolean> =>
  new Promise((resolve) => {
    const headers = Object.fromEntries((http.httpHeaders ?? []).map(({ name = '', value = '' }) => [name, value]));
    const asking = request(
      {
        host: '127.0.0.1',
        port,
        path: http.path ?? '/',
        headers: { 'user-agent': 'GoogleHC/1.0', ...headers },
        agent: false,
        timeout,
      },
      (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        resolve(statusCode >= 200 && statusCode < 400);
      },
    );
    asking.once('error', () => resolve(false)).once('timeout', () => asking.destroy());
    asking.end();
  });
