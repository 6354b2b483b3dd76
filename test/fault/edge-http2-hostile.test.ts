import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { block, FLAG, FRAME, frame } from '../support/corpus/frames.ts';
import { head, RawSession } from '../support/corpus/raw-session.ts';
import { fds, rss } from '../support/edge-client.ts';
import { ask, session } from '../support/edge-http2.ts';
import { EdgeHarness, service } from '../support/edge-harness.ts';
import { behindTls } from '../support/edge-tls.ts';
import { upstream } from '../support/edge-upstream.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

const begin = (stream: number, path = '/', flags = FLAG.endHeaders | FLAG.endStream): Buffer =>
  frame(FRAME.headers, flags, stream, block(head(path, (flags & FLAG.endStream) === 0 ? 'POST' : 'GET')));
const reset = (stream: number): Buffer => frame(FRAME.reset, 0, stream, '\0\0\0\x08');
const ping = frame(FRAME.ping, 0, 0, '12345678');
const settings = frame(FRAME.settings, 0, 0, '\0\x03\0\0\0\x64');

/** Sends the same over and over until the connection is closed; false if that never happens. */
async function flood(client: RawSession, next: (round: number) => Buffer, rounds = 3_000): Promise<boolean> {
  for (let round = 0; round < rounds && !client.socket.destroyed; round++) {
    client.write(next(round));
    if (client.socket.writableLength > 1_000_000) await Promise.race([once(client.socket, 'drain'), client.closed]);
    else if (round % 20 === 0) await sleep(1);
  }
  return Promise.race([client.closed.then(() => true), sleep(5_000, false)]);
}

const hundred = (make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: 100 }, (_, i) => make(i)));

describe.skipIf(noOpenssl !== null)('a client of HTTP/2', () => {
  test('that floods loses its connection, and nobody else anything', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { api, edge, first, tlsPort } = await behindTls([a]);
    const { pid } = first;
    const decent = await session(tlsPort);
    expect((await ask(decent)).status).toBe(200);
    const [memory, files] = [rss(pid), fds(pid)];

    const resetting = await RawSession.open(tlsPort);
    const id = (round: number, index: number): number => (round * 100 + index) * 2 + 1;
    expect(
      await flood(resetting, (round) =>
        hundred((i) => Buffer.concat([begin(id(round, i), '/reset'), reset(id(round, i))])),
      ),
    ).toBe(true);
    expect(resetting.answers.filter((answer) => answer.startsWith('goaway')).length).toBeLessThan(2);
    expect(api.requests.filter(({ url }) => url === '/reset').length).toBeLessThan(1_500);

    const continuing = await RawSession.open(tlsPort);
    await once(continuing.socket, 'data');
    continuing.write(begin(1, '/', FLAG.endStream));
    expect(await flood(continuing, () => frame(FRAME.continuation, 0, 1, block([['x', 'y'.repeat(10_000)]])))).toBe(
      true,
    );

    // They are answered, and nobody reads the answers.
    for (const each of [ping, settings]) {
      const deaf = await RawSession.open(tlsPort);
      deaf.socket.pause();
      expect(await flood(deaf, () => hundred(() => each))).toBe(true);
    }
    const empty = await RawSession.open(tlsPort);
    empty.write(begin(1, '/', FLAG.endHeaders));
    expect(await flood(empty, () => hundred(() => frame(FRAME.data, 0, 1)))).toBe(true);

    expect(rss(pid) - memory).toBeLessThan(120);
    await waitFor(() => fds(pid) <= files + 4, { what: 'the connections to be closed' });
    expect((await ask(decent)).status).toBe(200);
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
    expect((await edge.release('api@1')).bad).toBe(0);
    expect(edge.log).not.toContain('unexpected');
  });

  test('that is slow is not waited for without end', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const env = {
      EVENKEEL_EDGE_HEADERS_TIMEOUT_MS: '400',
      EVENKEEL_EDGE_KEEP_ALIVE_MS: '600',
      EVENKEEL_EDGE_STALL_MS: '600',
      EVENKEEL_EDGE_REQUEST_TIMEOUT_MS: '1200',
    };
    const { api, edge, tlsPort } = await behindTls(
      [a],
      {},
      {
        env,
        handler: (req, res) => {
          if (req.url === '/small') res.end('x'.repeat(1_000));
          else if (req.url === '/large') res.end(Buffer.alloc(5_000_000));
          else req.resume().on('end', () => res.end('ok'));
        },
      },
    );
    const mute = await RawSession.open(tlsPort, '');
    const idle = await RawSession.open(tlsPort);
    const half = await RawSession.open(tlsPort);
    await once(half.socket, 'data');
    half.write(begin(1, '/', FLAG.endStream));
    // A window of nothing: the replies cannot be sent.
    const shut = await RawSession.open(tlsPort);
    shut.write(Buffer.concat([frame(FRAME.settings, 0, 0, '\0\x04\0\0\0\0'), begin(1, '/small'), begin(3, '/large')]));
    const silent = await RawSession.open(tlsPort);
    silent.write(begin(1, '/upload', FLAG.endHeaders));
    const dripping = await RawSession.open(tlsPort);
    dripping.write(begin(1, '/upload', FLAG.endHeaders));
    const drip = setInterval(() => dripping.write(frame(FRAME.data, 0, 1, 'x')), 100);
    const working = await session(tlsPort);
    await Promise.all([mute, idle, half, shut, silent, dripping].map(({ closed }) => closed));
    clearInterval(drip);
    expect(shut.answers.filter((answer) => answer.startsWith('reset')).length).toBe(2);
    expect([silent.answers[0], dripping.answers[0]]).toEqual(['408', '408']);
    expect(idle.answers).toEqual([]);
    working.destroy();
    expect(api.requests.length).toBe(4);
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
    expect((await edge.release('api@1')).bad).toBe(0);
    expect(edge.log).not.toContain('unexpected');
  });

  test('is held back with an upload that nobody reads, and another on the same connection is not', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { first, tlsPort } = await behindTls(
      [a],
      {},
      {
        handler: (req, res) => void (req.url === '/stuck' ? req.pause() : req.resume().on('end', () => res.end('ok'))),
      },
    );
    const over = await session(tlsPort);
    const before = rss(first.pid);
    const stuck = over.request(
      { ':authority': 'a.example', ':method': 'POST', ':path': '/stuck' },
      { endStream: false },
    );
    stuck.on('error', () => undefined);
    const chunk = Buffer.alloc(256 * 1024);
    let sent = 0;
    stuck.on('drain', () => undefined);
    while (sent < 400 && (stuck.write(chunk) || stuck.writableLength < 16 * 1024 * 1024)) {
      sent++;
      await sleep(1);
    }
    expect(sent).toBeLessThan(300);
    expect(rss(first.pid) - before).toBeLessThan(60);
    expect((await ask(over, { ':method': 'POST' }, Buffer.alloc(2_000_000))).body).toBe('ok');
    stuck.close(8);
  });

  test('is one of too many: what is more is refused in a way that may be tried again, and no instance is blamed', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const edge = new EdgeHarness();
    const { pid } = await edge.start();
    execFileSync('/usr/bin/env', ['prlimit', '--pid', String(pid), '--nofile=250:250']);
    const api = await upstream('api', (req, res) => {
      if (req.url !== '/wait') res.end('ok');
    });
    const [port, tlsPort] = [await freePort(), await freePort()];
    const tls = { port: tlsPort, bind: '127.0.0.1', certificates: [{ cert: a.cert, key: a.key }] };
    await edge.set(
      1,
      service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }], {
        tls: { ...tls, redirect: false, hsts: 'off' },
      }),
    );
    await edge.healthy(`api@1-${api.port}`);
    const clients = await Promise.all(Array.from({ length: 3 }, () => RawSession.open(tlsPort)));
    for (const client of clients) client.write(hundred((i) => begin(i * 2 + 1, '/wait')));
    const refused = () =>
      clients.flatMap(({ answers }) => answers).filter((answer) => answer === 'reset REFUSED_STREAM').length;
    await waitFor(() => api.requests.length >= 70 && api.requests.length + refused() === 300, {
      what: 'the rest to be refused',
    });
    const { services } = await edge.state();
    expect(services[0]?.instances).toMatchObject([{ healthy: true, ejected: false, lastError: null }]);
    for (const { socket } of clients) socket.destroy();
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'the rest to be forgotten' });
    expect((await ask(await session(tlsPort))).body).toBe('ok');
    expect((await edge.release('api@1')).bad).toBe(0);
  });
});
