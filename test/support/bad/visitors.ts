import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Visits {
  /** Replies by status; what was not answered at all counts as 0. */
  statuses: Map<number, number>;
  versions: Map<string, number>;
  total: number;
}

/** A light load of strangers, each request on a connection of its own, until the end of the test. */
export function visitors(port: number, { several = 4, pauseMs = 30 } = {}): { seen: Visits; stop(): Promise<Visits> } {
  const seen: Visits = { statuses: new Map(), versions: new Map(), total: 0 };
  let stopped = false;
  const one = async (): Promise<void> => {
    while (!stopped) {
      const { status, version } = await visit(port);
      seen.total++;
      seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);
      seen.versions.set(version, (seen.versions.get(version) ?? 0) + 1);
      await sleep(pauseMs);
    }
  };
  const all = Promise.all(Array.from({ length: several }, one));
  const stop = async (): Promise<Visits> => {
    stopped = true;
    await all;
    return seen;
  };
  onTestFinished(async () => void (await stop()));
  return { seen, stop };
}

export interface Visit {
  /** 0: no answer. */
  status: number;
  version: string;
  body: string;
}

/** One request over a connection of its own. */
export function visit(port: number, path = '/', method: 'GET' | 'POST' = 'GET'): Promise<Visit> {
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve) => {
    const nothing: Visit = { status: 0, version: '', body: '' };
    request({ host: '127.0.0.1', port, path, method, agent, timeout: 20_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', () => resolve(nothing));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, version: String(response.headers['x-app-version'] ?? ''), body }),
      );
    })
      .on('error', () => resolve(nothing))
      .on('timeout', function (this: { destroy(): void }) {
        this.destroy();
      })
      .end();
  });
}
