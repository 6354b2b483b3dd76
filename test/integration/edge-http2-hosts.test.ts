import { describe, expect, test } from 'vitest';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { twoHosts } from '../support/edge-both.ts';
import { answerOf, ask, session } from '../support/edge-http2.ts';
import { from } from '../support/edge-policy.ts';
import { behindTls } from '../support/edge-tls.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

describe.skipIf(noOpenssl !== null)('a connection that is used for several hosts', () => {
  test('asks each stream for what its own host lets in', async () => {
    const { edge, tlsPort } = await twoHosts();
    const over = await session(tlsPort, { servername: '' });
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => [
        ask(over, { ':authority': 'a.example', ':path': '/open' }),
        ask(over, { ':authority': 'a.example', ':path': '/in' }),
        ask(over, { ':authority': 'b.example', ':path': '/shop' }),
        ask(over, { ':authority': 'b.example', ':path': '/shop', ...from('192.0.2.1') }),
        ask(over, { ':authority': 'b.example', ':path': '/in' }),
        ask(over, { ':authority': 'A.EXAMPLE:443', ':path': '/in' }),
        // What else names a host must not be believed instead.
        ask(over, { ':authority': 'a.example', ':path': '/in', 'x-forwarded-host': 'b.example' }),
      ]).flat(),
    );
    expect(new Set(streams.map(({ status }, index) => `${index % 7}: ${status}`))).toEqual(
      new Set(['0: 200', '1: 401', '2: 503', '3: 200', '4: 404', '5: 401', '6: 401']),
    );
    const releases = ['api@1', 'other@1'].map((release) => edge.release(release));
    expect(await Promise.all(releases)).toMatchObject([
      { requests: 20, bad: 0 },
      { requests: 20, bad: 0 },
    ]);
  });

  test('is for those of its certificate, and for those that have none of their own', async () => {
    const folder = tempDir();
    const wild = await certificate(folder, 'wild', ['shop.example', '*.shop.example']);
    const own = await certificate(folder, 'own', ['pay.shop.example']);
    const bank = await certificate(folder, 'bank', ['bank.example']);
    const { api, edge, tlsPort } = await behindTls([wild, own, bank]);
    const status = async (servername: string, authority: string, headers = {}) => {
      const over = await session(tlsPort, { servername });
      const [reply, next] = await Promise.all([
        ask(over, { ':authority': authority, ...headers }),
        ask(over, { ':authority': servername === '' ? 'shop.example' : servername }),
      ]);
      // Whatever became of the other one.
      expect([next.status, over.closed, reply.code]).toEqual([200, false, 0]);
      return reply.status;
    };
    expect(await status('shop.example', 'SHOP.example.:443')).toBe(200);
    expect(await status('shop.example', 'a.shop.example')).toBe(200);
    // The certificate with the star is good for it, too.
    expect(await status('a.shop.example', 'pay.shop.example')).toBe(200);
    expect(await status('pay.shop.example', 'a.shop.example')).toBe(421);
    expect(await status('pay.shop.example', 'bank.example:443')).toBe(421);
    expect(await status('bank.example', 'shop.example')).toBe(421);
    // Nobody else could answer for it, or would be shown if they came again.
    expect(await status('bank.example', 'unknown.example')).toBe(200);
    expect(await status('bank.example', '127.0.0.1')).toBe(200);
    expect(await status('', 'bank.example')).toBe(200);
    const answered = api.requests.length;
    expect(await edge.stats()).toMatchObject({ unrouted: 3, releases: [{ requests: answered, bad: 0 }] });
    const over = await session(tlsPort, { servername: 'bank.example' });
    const told = await ask(over, { ':authority': 'shop.example', accept: 'application/json' });
    expect(JSON.parse(told.body)).toEqual({ status: 421, error: 'This host is served on a connection of its own.' });
  });
});

describe.skipIf(noOpenssl !== null)('a body that is too large', () => {
  test('ends its stream with 413, and no other stream of its connection', async () => {
    const { edge, api, tlsPort } = await twoHosts((req, res) => {
      let bytes = 0;
      req.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => res.end(String(bytes)));
    });
    const over = await session(tlsPort);
    let goodbye = false;
    over.on('goaway', () => (goodbye = true));
    const path = (to: string) => ({ ':authority': 'a.example', ':path': to, ':method': 'POST' });
    // One that is under way all the time.
    const upload = over.request(path('/open'), { endStream: false });
    upload.write('begun, ');
    await waitFor(() => api.requests.length === 1, { what: 'the upload to arrive' });
    // Together far more than the window of a connection: what is refused is not kept from being given back.
    for (let round = 0; round < 12; round++) {
      const told = ask(over, { ...path('/small'), 'content-length': 200_000 }, Buffer.alloc(200_000));
      const untold = ask(over, path('/small'), Buffer.alloc(200_000));
      const dripping = over.request(path('/small'), { endStream: false });
      for (let i = 0; i < 4; i++) dripping.write('xxxx');
      const replies = await Promise.all([told, untold, answerOf(dripping)]);
      expect(replies.map(({ status, code, body }) => [status, code, body.slice(0, 3)])).toEqual(
        replies.map(() => [413, 0, '413']),
      );
    }
    const large = await ask(over, path('/open'), Buffer.alloc(3_000_000));
    expect([large.status, large.body]).toEqual([200, '3000000']);
    const uploaded = answerOf(upload);
    upload.end('and done');
    expect(await uploaded).toMatchObject({ status: 200, code: 0, body: '15' });
    expect([goodbye, over.closed]).toEqual([false, false]);
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
    expect(await edge.release('api@1')).toMatchObject({ bad: 0, classes: [0, 2, 0, 0, 0] });
  });

  test('is told to curl, which sends on until it hears of it', async ({ skip }) => {
    const { a, tlsPort } = await twoHosts();
    const at = `a.example:${tlsPort}`;
    const ran = await runCommand(
      [
        ...['curl', '--silent', '--show-error', '--http2', '--cacert', a.cert, '--resolve', `${at}:127.0.0.1`],
        ...[
          '--noproxy',
          '*',
          '--write-out',
          '%{http_version} %{http_code} ',
          '--output',
          '/dev/null',
          '--data-binary',
          '@-',
        ],
        ...[`https://${at}/small`, '--next', '--silent', '--http2', '--cacert', a.cert, '--resolve', `${at}:127.0.0.1`],
        ...[
          '--noproxy',
          '*',
          '--write-out',
          '%{http_code} %{num_connects}',
          '--output',
          '/dev/null',
          `https://${at}/open`,
        ],
      ],
      { input: 'x'.repeat(2_000_000) },
    ).catch(() => null);
    if (ran === null) skip('curl is not installed');
    // The second one goes over the connection of the first.
    expect(ran).toMatchObject({ code: 0, stdout: '2 413 200 0' });
  });
});
