import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EdgePolicy } from '../../src/domain/traffic/policy.ts';
import type { EdgeService } from '../../src/domain/traffic/protocol.ts';
import { hashPassword } from '../../src/platform/password.ts';
import { EdgeHarness, send, service } from './edge-harness.ts';
import type { Reply } from './edge-harness.ts';
import { upstream } from './edge-upstream.ts';
import { freePort } from './free-port.ts';

/** A policy that asks for nothing but what is named. */
export const policy = (changes: Partial<EdgePolicy> = {}): EdgePolicy => ({
  allow: null,
  deny: [],
  basicAuth: null,
  forwardAuth: null,
  rate: null,
  ...changes,
});

/** Whom everything comes from in these tests is a proxy, so that a test may be anybody: `x-forwarded-for`. */
export const PROXY = '127.0.0.1';

export type Route = Partial<EdgeService['routes'][number]>;

/** An edge with one service of one instance, whose routes have policies. */
export async function guarded(
  routes: Route[],
  changes: Partial<EdgeService> = {},
  handler?: Parameters<typeof upstream>[1],
  env: Record<string, string> = {},
) {
  const edge = new EdgeHarness(env);
  const { pid } = await edge.start();
  const api = await upstream('api', handler);
  const port = await freePort();
  const made = (each: Route[], more: Partial<EdgeService> = {}): EdgeService =>
    service('api', null, [{ release: 'api@1', weight: 100, ports: [api.port] }], {
      routes: each.map((route) => ({ port, host: null, path: '/', ...route })),
      trustedProxies: [PROXY],
      ...changes,
      ...more,
    });
  await edge.set(1, made(routes));
  await edge.healthy(`api@1-${api.port}`);
  const ask = (path = '/', headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Reply> =>
    send({ port, path, method, headers: { host: 'shop.example', ...headers } }, body);
  return { edge, api, port, pid, ask, made };
}

/** A hash that is cheap to check. */
export const quickHash = (password: string): Promise<string> => hashPassword(password, { N: 1024, r: 8, p: 1 });

/** As somebody at this address. */
export const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

export const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** A page in a file of the edge. */
export function pageFile(edge: EdgeHarness, name: string, text: string): string {
  const folder = join(edge.home, 'pages');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
