import type { OutgoingHttpHeaders } from 'node:http';
import type { EdgeService } from '../../src/domain/traffic/protocol.ts';
import { certificate } from './certificates.ts';
import { service } from './edge-harness.ts';
import { ask, session } from './edge-http2.ts';
import { pageFile, policy, PROXY, quickHash } from './edge-policy.ts';
import { behindTls, sendTls } from './edge-tls.ts';
import { upstream } from './edge-upstream.ts';
import { tempDir } from './temp.ts';

/** The versions of HTTP that are spoken over TLS, each with what the access log calls it. */
export const VERSIONS = ['HTTP/1.1', 'HTTP/2.0'] as const;
export type Version = (typeof VERSIONS)[number];

export interface Asked {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** Asks the edge over one version: with connections of their own, or on the streams of one for each host. */
export async function asking(version: Version, port: number): Promise<(asked: Asked) => Promise<Answered>> {
  const fill = ({ host = 'a.example', path = '/', method = 'GET', headers = {}, body }: Asked) => ({
    host,
    path,
    method,
    headers,
    body,
  });
  if (version === 'HTTP/1.1')
    return (asked) => {
      const { host, path, method, headers, body = '' } = fill(asked);
      const all: OutgoingHttpHeaders = {
        host,
        ...headers,
        ...(method === 'POST' && { 'content-length': body.length }),
      };
      return sendTls({ port, servername: host, rejectUnauthorized: false, path, method, headers: all }, body);
    };
  const sessions = new Map<string, ReturnType<typeof session>>();
  return async (asked) => {
    const { host, path, method, headers, body } = fill(asked);
    const known = sessions.get(host) ?? session(port, { servername: host });
    sessions.set(host, known);
    const over = await known;
    const length = body === undefined ? {} : { 'content-length': body.length };
    const { code, ...answer } = await ask(
      over,
      { ':authority': host, ':path': path, ':method': method, ...headers, ...length },
      body,
    );
    if (code !== 0) throw new Error(`the stream of ${method} ${host}${path} ended with ${code}`);
    return answer;
  };
}

type Handler = NonNullable<NonNullable<Parameters<typeof behindTls>[2]>['handler']>;

/** An edge with two hosts, each with a certificate and rules of its own. */
export async function twoHosts(handler: Handler = (req, res) => void req.resume().on('end', () => res.end('api'))) {
  const folder = tempDir();
  const a = await certificate(folder, 'a', ['a.example']);
  const b = await certificate(folder, 'b', ['b.example']);
  const { edge, api, port, tlsPort, config } = await behindTls([a, b], {}, { handler });
  const judge = await upstream('judge', (req, res) =>
    req.headers.cookie === 'in=1'
      ? res.writeHead(204, { 'Remote-User': 'anna' }).end()
      : res.writeHead(302, { Location: '/login' }).end('go'),
  );
  const users = [{ name: 'anna', hash: await quickHash('right') }];
  const url = `http://127.0.0.1:${judge.port}/verify`;
  const at = (path: string, more: Partial<EdgeService['routes'][number]> = {}, host = 'a.example') => ({
    port,
    host,
    path,
    ...more,
  });
  const ofA = config({
    trustedProxies: [PROXY],
    accessLog: { sample: 1, slowMs: 60_000, query: false },
    pages: { '404': pageFile(edge, 'a.html', '<h1>lost at a</h1>') },
    routes: [
      at('/open'),
      at('/in', { policy: policy({ basicAuth: { realm: 'Office', users, passOn: false } }) }),
      at('/net', { policy: policy({ allow: ['192.0.2.0/24'], deny: ['192.0.2.66'] }) }),
      at('/judged', { policy: policy({ forwardAuth: { url, timeoutMs: 10_000, headers: ['remote-user'] } }) }),
      at('/rate', { policy: policy({ rate: { requests: 1, perMs: 600_000, burst: 2, by: 'client' } }) }),
      at('/small', { maxBody: 10 }),
    ],
  });
  const other = await upstream('other');
  const ofB = service('other', port, [{ release: 'other@1', weight: 100, ports: [other.port] }], {
    ...(config().tls === undefined ? {} : { tls: config().tls }),
    trustedProxies: [PROXY],
    routes: [at('/shop', {}, 'b.example')],
    pages: { '404': pageFile(edge, 'b.html', '<h1>lost at b</h1>') },
    maintenance: { page: pageFile(edge, 'm.html', '<h1>soon</h1>'), retryAfterS: 600, allow: ['192.0.2.1'] },
  });
  await edge.set(2, ofA, ofB);
  await edge.healthy(`api@1-${api.port}`, `other@1-${other.port}`);
  return { edge, api, other, judge, tlsPort, a, ofA, ofB };
}
