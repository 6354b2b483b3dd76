import { describe, expect, test } from 'vitest';
import { behindEdge, open, raw, rss } from '../support/edge-client.ts';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

describe('pipelined requests', () => {
  test('are asked one after the other, and answered in order', async () => {
    let atOnce = 0;
    let most = 0;
    const { api, port } = await behindEdge((req, res) => {
      most = Math.max(most, ++atOnce);
      setTimeout(() => {
        atOnce--;
        res.end(`<${req.url}>`);
      }, 20);
    });
    const requests = Array.from(
      { length: 20 },
      (_, i) => `POST /${i} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi`,
    );
    requests.push('GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const answer = await raw(port, requests.join(''));
    const paths = [...Array.from({ length: 20 }, (_, i) => `/${i}`), '/last'];
    expect([...answer.matchAll(/<(\S+)>/g)].map(([, path]) => path)).toEqual(paths);
    expect(api.requests.map(({ url }) => url)).toEqual(paths);
    expect(most).toBe(1);
  });

  test('without end are cut off, and cost others nothing', async () => {
    const { edge, api, port, pid } = await behindEdge((req, res) => {
      if (req.url !== '/slow') res.end('ok');
    });
    const { socket, closed } = open(port);
    const before = rss(pid);
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => api.requests.length === 1, { what: 'the slow request' });
    const many = 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000);
    const flood = setInterval(() => socket.destroyed || socket.write(many), 1);
    await closed;
    clearInterval(flood);
    expect(rss(pid) - before).toBeLessThan(100);
    expect((await send({ port })).body).toBe('ok');
    expect(api.requests.length).toBe(2);
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
  });

  test('a WebSocket behind a request that is not answered yet ends that connection alone', async () => {
    const { edge, port } = await behindEdge(
      (req, res) => void setTimeout(() => res.end('ok'), req.url === '/slow' ? 300 : 0),
    );
    await raw(
      port,
      'GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    expect((await send({ port })).body).toBe('ok');
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
    expect(edge.log).not.toContain('unexpected');
  });

  test('what follows a request that says it is the last is not read, and does not harm its reply', async () => {
    const { api, port } = await behindEdge((_req, res) => void setTimeout(() => res.end('ok'), 100));
    const answer = await raw(
      port,
      'GET /1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*ok$/);
    expect(api.requests.map(({ url }) => url)).toEqual(['/1']);
  });
});

describe('a request that could mean two things', () => {
  const odd = [
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n'],
    ['two equal hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\nconnection: close\r\n\r\n'],
    ['somebody in the address', 'GET http://me@a/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['an address without host', 'GET http:///a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['another scheme', 'GET ftp://a/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['bare line feeds', 'GET / HTTP/1.1\nhost: a\n\n'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nhost: a\r\nx: 1\u00002\r\n\r\n'],
    ['a length that is none', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +2\r\n\r\nhi'],
    ['a negative length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -2\r\n\r\nhi'],
    ['two lengths in one', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2, 2\r\n\r\nhi'],
    [
      'chunks, twice',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\nconnection: close\r\n\r\n0\r\n\r\n',
    ],
    ['chunks, but not last', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    [
      'a chunk that ends in a bare line feed',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n',
    ],
    [
      'a WebSocket with a body',
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nhi',
    ],
  ] as const;
  test.each(odd)('is refused: %s', async (_name, text) => {
    const { edge, api, port } = await behindEdge((_req, res) => res.end('seen'));
    const answer = await raw(port, text);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|501) /);
    expect(answer.match(/HTTP\/1\.1/g)?.length).toBe(1);
    expect(api.requests).toEqual([]);
    expect(edge.log).not.toContain('unexpected');
  });

  test('an absolute address counts for more than the header, and capitals and ports do not count', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [api, other] = [
      await upstream('api', (req, res) => res.end(`${req.url} ${req.headers.host}`)),
      await upstream('other'),
    ];
    const port = await freePort();
    const at = (name: string, host: string, ports: number[]) =>
      service(name, null, [{ release: `${name}@1`, weight: 100, ports }], { routes: [{ port, host, path: '/' }] });
    await edge.set(1, at('api', 'a.example', [api.port]), at('other', 'b.example', [other.port]));
    await edge.healthy(`api@1-${api.port}`, `other@1-${other.port}`);
    const body = async (text: string) => (await raw(port, text)).split('\r\n\r\n')[1];
    expect(await body('GET http://A.Example:81/x?y HTTP/1.1\r\nhost: b.example\r\nconnection: close\r\n\r\n')).toBe(
      '/x?y A.Example:81',
    );
    expect(await body('GET http://a.example?y HTTP/1.1\r\nhost: b.example\r\nconnection: close\r\n\r\n')).toBe(
      '/?y a.example',
    );
    expect(await body('GET /x HTTP/1.1\r\nhost: A.EXAMPLE.:80\r\nconnection: close\r\n\r\n')).toBe('/x A.EXAMPLE.:80');
    expect(await body('GET / HTTP/1.1\r\nhost: c.example\r\nconnection: close\r\n\r\n')).toContain('404');
  });

  test('headers that become another one where underscores count as dashes are left out', async () => {
    const { api, port } = await behindEdge((_req, res) => res.end('seen'));
    await send({
      port,
      headers: {
        'X_Forwarded-For': '6.6.6.6',
        x_real_ip: '6.6.6.6',
        Content_Length: '7',
        Transfer_Encoding: 'chunked',
        a_b: 'kept',
      },
    });
    const seen = api.requests[0]?.rawHeaders.join('\n') ?? '';
    expect(seen).toContain('a_b\nkept');
    expect(seen).not.toMatch(/6\.6\.6\.6|_length|_encoding/i);
  });

  test('a length behind more headers than Node looks at is a length', async () => {
    const { api, port } = await behindEdge((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += String(chunk)));
      res.writeHead(200).flushHeaders();
      setTimeout(() => res.end(body), 50);
    });
    api.server.maxHeadersCount = 0;
    const many = 'a:1\r\n'.repeat(2_200);
    const hidden = 'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n';
    const answer = await raw(
      port,
      `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${many}content-length: ${hidden.length}\r\n\r\n${hidden}`,
    );
    expect(answer).toContain('GET /smuggled');
    await send({ port, path: '/next' });
    expect(api.requests.map(({ url }) => url)).toEqual(['/', '/next']);
  });

  test('100 Continue is said to those alone who know it', async () => {
    const { port } = await behindEdge((req, res) => void req.pipe(res));
    const old = await raw(port, 'POST / HTTP/1.0\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nhi');
    expect(old).toMatch(/^HTTP\/1\.1 200 [^]*hi$/);
    const other = await raw(
      port,
      'POST / HTTP/1.1\r\nhost: x\r\nexpect: more\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi',
    );
    expect(other).toMatch(/^HTTP\/1\.1 417 /);
  });
});
