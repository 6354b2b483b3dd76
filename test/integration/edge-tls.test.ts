import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { send } from '../support/edge-harness.ts';
import { behindTls, sendTls, shake, shown } from '../support/edge-tls.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

describe.skipIf(noOpenssl !== null)('TLS', () => {
  test('of 1.2 and 1.3 is spoken, and nothing older, weaker, or else', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { tlsPort } = await behindTls([a]);
    for (const [version, alpn] of [
      ['TLSv1.2', 'http/1.1'],
      ['TLSv1.3', 'h2'],
    ] as const) {
      const socket = await shake(tlsPort, {
        minVersion: version,
        maxVersion: version,
        ca: a.pem,
        rejectUnauthorized: true,
        ALPNProtocols: alpn === 'h2' ? ['h2', 'http/1.1'] : ['http/1.1'],
      });
      expect([socket.getProtocol(), socket.alpnProtocol, socket.authorized]).toEqual([version, alpn, true]);
    }
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await expect(shake(tlsPort, old)).rejects.toThrow(/alert|version|ECONNRESET/i);
    const cbc = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const;
    await expect(shake(tlsPort, cbc)).rejects.toThrow(/alert|handshake/i);
    await expect(shake(tlsPort, { ALPNProtocols: ['h3'] })).rejects.toThrow(/alert|protocol/i);
    // Who speaks no TLS there is hung up on, and disturbs nobody.
    const plain = connect({ port: tlsPort, host: '127.0.0.1' });
    plain.on('error', () => undefined);
    plain.write('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n');
    await once(plain.resume(), 'close');
    expect((await sendTls({ port: tlsPort, ca: a.pem })).status).toBe(200);
  });

  test('shows each client the certificate for the host it asks for, and the first to everybody else', async () => {
    const folder = tempDir();
    const first = await certificate(folder, 'first', ['a.example']);
    const second = await certificate(folder, 'second', ['b.example', '*.c.example']);
    const { tlsPort, edge } = await behindTls([first, second]);
    const names = ['a.example', 'B.example', 'x.c.example', 'x.y.c.example', 'unknown.example', undefined];
    expect(await Promise.all(names.map((name) => shown(tlsPort, name)))).toEqual([
      'first',
      'second',
      'second',
      'first',
      'first',
      'first',
    ]);
    const { tls = [] } = await edge.state();
    expect(tls).toMatchObject([{ port: tlsPort, error: null, services: ['test/production/api'] }]);
    expect(tls[0]?.certificates.map((each) => each.names)).toEqual([['a.example'], ['b.example', '*.c.example']]);
  });

  test('is known to instances, and to browsers by cookie and HSTS', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { api, edge, port, tlsPort, config } = await behindTls(
      [a],
      { hsts: 'preload', redirect: false },
      { handler: (_req, res) => res.setHeader('Strict-Transport-Security', 'max-age=1').end('ok') },
    );
    const sts = 'max-age=31536000; includeSubDomains; preload';
    const secure = await sendTls({ port: tlsPort, ca: a.pem, headers: { 'x-forwarded-proto': 'http' } });
    expect([secure.body, secure.headers['strict-transport-security']]).toEqual(['ok', sts]);
    const plain = await send({ port });
    expect(plain.headers['strict-transport-security']).toBe('max-age=1');
    expect(api.requests.map(({ headers }) => headers['x-forwarded-proto'])).toEqual(['https', 'http']);

    const releases = ['api@1', 'api@2'].map((release) => ({ release, weight: 50, ports: [api.port] }));
    await edge.set(2, {
      ...config(),
      releases: releases.map(({ release, weight }) => ({
        release,
        weight,
        instances: [{ id: `${release}-i`, port: api.port, startedAt: 1, draining: false }],
        health: null,
        static: null,
      })),
    });
    await edge.healthy('api@1-i', 'api@2-i');
    const cookies = [await sendTls({ port: tlsPort, ca: a.pem }), await send({ port })].map((reply) =>
      String(reply.headers['set-cookie']),
    );
    expect(cookies.map((cookie) => /; Secure/.test(cookie))).toEqual([true, false]);
    // Its own replies say it, too.
    await api.die();
    const down = await sendTls({ port: tlsPort, ca: a.pem, method: 'POST' }, 'x');
    expect(down.status).toBeGreaterThanOrEqual(500);
    expect(down.headers['strict-transport-security']).toBe(sts);
  });

  test('is what plain requests are sent to, but for challenges, probes and what a trusted proxy received over TLS', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { api, edge, port, tlsPort } = await behindTls([a]);
    const host = { host: `A.Example:${port}` };
    const moved = await send({ port, path: '/x/y?q=1&r=%2F', headers: host });
    expect([moved.status, moved.headers.location]).toEqual([308, `https://a.example:${tlsPort}/x/y?q=1&r=%2F`]);
    expect(moved.headers['cache-control']).toBe('no-store');
    const posted = await send({ port, path: '/x', method: 'POST', headers: host }, 'body');
    expect([posted.status, posted.headers.location]).toEqual([308, `https://a.example:${tlsPort}/x`]);
    expect((await send({ port, headers: { host: 'a.example"onload="x' } })).status).toBe(400);
    expect(api.requests).toEqual([]);

    const challenge = await send({ port, path: '/.well-known/acme-challenge/token', headers: host });
    expect([challenge.status, challenge.body]).toEqual([200, 'api']);
    const probe = await send({ port, headers: { ...host, 'evenkeel-probe': edge.probeToken } });
    expect([probe.status, probe.headers['evenkeel-release']]).toEqual([200, 'api@1']);
    // Anybody can claim to be a proxy.
    expect((await send({ port, headers: { ...host, 'x-forwarded-proto': 'https' } })).status).toBe(308);

    const trusting = await behindTls([a], {}, { env: { EVENKEEL_EDGE_TRUSTED_PROXIES: '127.0.0.1' } });
    const through = await send({ port: trusting.port, headers: { ...host, 'x-forwarded-proto': 'https' } });
    expect(through.status).toBe(200);
    expect((await send({ port: trusting.port, headers: host })).status).toBe(308);
  });

  test('carries WebSockets', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { api, first, tlsPort } = await behindTls([a]);
    const sockets = new WebSocketServer({ server: api.server });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    });
    const socket = new WebSocket(`wss://127.0.0.1:${tlsPort}/`, { rejectUnauthorized: false });
    await once(socket, 'open');
    const big = 'x'.repeat(300_000);
    socket.send(big);
    const [echo] = (await once(socket, 'message')) as [Buffer];
    expect(String(echo)).toBe(big);
    const closed = once(socket, 'close');
    first.child.send({ type: 'drain' });
    expect((await closed)[0]).toBe(1012);
  });

  test('changes nothing about what is refused', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { api, tlsPort } = await behindTls([a]);
    const answer = async (text: string): Promise<string> => {
      const socket = await shake(tlsPort);
      let all = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => (all += chunk));
      socket.write(text, 'latin1');
      await once(socket, 'close');
      return all.slice(0, 12);
    };
    const head = 'POST / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n';
    expect(await answer(`${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`)).toBe(
      'HTTP/1.1 400',
    );
    expect(await answer(`${head}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`)).toBe('HTTP/1.1 400');
    expect(await answer(`${head}host: b.example\r\n\r\n`)).toBe('HTTP/1.1 400');
    expect(await answer(`${head}x: ${'y'.repeat(40_000)}\r\n\r\n`)).toBe('HTTP/1.1 431');
    expect(api.requests).toEqual([]);
    const upgrade = 'GET / HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n';
    expect(await answer(upgrade)).toBe('HTTP/1.1 200');
  });

  test('does not wait for ever for a handshake, a head, or a client that takes nothing of its reply', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const env = { EVENKEEL_EDGE_HEADERS_TIMEOUT_MS: '300', EVENKEEL_EDGE_STALL_MS: '2500' };
    const { api, tlsPort } = await behindTls([a], {}, { env, handler: (_req, res) => res.end(Buffer.alloc(60e6)) });
    const slow = await shake(tlsPort);
    slow.write('GET / HTTP/1.1\r\nhost: a.ex');
    expect(String((await once(slow, 'data'))[0])).toMatch(/^HTTP\/1.1 408/);
    const deaf = await shake(tlsPort);
    deaf.pause().write('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n');
    const received = await waitFor(() => api.requests[0], { what: 'the request' });
    await waitFor(() => received.socket.destroyed, { what: 'the reply to be given up' });
    deaf.destroy();
    const silent = connect({ port: tlsPort, host: '127.0.0.1' });
    silent.on('error', () => undefined);
    await once(silent.resume(), 'close');
  });

  test('works with curl, which asks for HTTP/2 first', async ({ skip }) => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { tlsPort } = await behindTls([a]);
    const at = `a.example:${tlsPort}`;
    const args = ['--silent', '--show-error', '--cacert', a.cert, '--resolve', `${at}:127.0.0.1`, '--noproxy', '*'];
    const ran = await runCommand(['curl', ...args, `https://${at}/`]).catch(() => null);
    if (ran === null) skip('curl is not installed');
    expect(ran).toMatchObject({ code: 0, stdout: 'api' });
  });
});

describe.skipIf(noOpenssl !== null)('a port of TLS that cannot be had', () => {
  test('keeps nobody from being served in plain, and is told', async () => {
    const folder = tempDir();
    const a = await certificate(folder, 'a', ['a.example']);
    const missing = { cert: `${folder}/none.crt`, key: `${folder}/none.key` };
    const { edge, port, tlsPort, config } = await behindTls([missing]);
    expect((await send({ port })).status).toBe(200);
    const [broken] = (await edge.state()).tls ?? [];
    expect(broken?.error).toContain(`there is no file ${missing.cert}`);
    // As soon as the files are there, it opens by itself.
    await certificate(folder, 'none', ['a.example']);
    await waitFor(async () => (await edge.state()).tls?.[0]?.error === null, { what: 'TLS to be served' });
    expect(await shown(tlsPort, 'a.example')).toBe('none');
    expect((await send({ port, headers: { host: 'a.example' } })).status).toBe(308);

    edge.refused.set(1_443, 'EADDRINUSE');
    const elsewhere = { bind: '127.0.0.1', certificates: [a], redirect: true, hsts: 'off' } as const;
    await edge.set(2, { ...config(), tls: { ...elsewhere, port: 1_443, certificates: [a] } });
    expect((await send({ port })).status).toBe(200);
    expect((await edge.state()).tls?.[0]?.error).toContain('another program has it');
    // The port of something plain is not TLS's either.
    await edge.set(3, { ...config(), tls: { ...elsewhere, port, certificates: [a] } });
    expect((await send({ port })).status).toBe(200);
    expect((await edge.state()).tls?.[0]?.error).toContain('plain HTTP');
  });

  test('may be shared by environments, each with its own host and certificate', async () => {
    const folder = tempDir();
    const [a, b] = [await certificate(folder, 'a', ['a.example']), await certificate(folder, 'b', ['b.example'])];
    const { edge, api, tlsPort, config } = await behindTls([a]);
    const other = await freePort();
    const { tls, ...rest } = config();
    const routes = [{ port: other, host: 'b.example', path: '/' }];
    const release = { release: 'api@9', weight: 100, health: null, static: null };
    const instances = [{ id: 'api@9-i', port: api.port, startedAt: 1, draining: false }];
    await edge.set(1, {
      ...rest,
      environment: 'staging',
      routes,
      releases: [{ ...release, instances }],
      ...(tls && { tls: { ...tls, certificates: [b], hsts: 'on' } }),
    });
    await edge.healthy('api@9-i');
    const ask = (ca: string, host: string) =>
      sendTls({ port: tlsPort, ca, servername: host, headers: { host, 'evenkeel-probe': edge.probeToken } });
    const replies = [await ask(a.pem, 'a.example'), await ask(b.pem, 'b.example')];
    expect(replies.map(({ headers }) => headers['evenkeel-release'])).toEqual(['api@1', 'api@9']);
    expect(replies.map(({ headers }) => headers['strict-transport-security'])).toEqual([undefined, 'max-age=31536000']);
    expect((await send({ port: other, headers: { host: 'b.example' } })).headers.location).toBe(
      `https://b.example:${tlsPort}/`,
    );
    const { tls: [state] = [] } = await edge.state();
    expect(state).toMatchObject({ services: ['test/production/api', 'test/staging/api'], hosts: ['b.example'] });
    // One of them goes, and takes its certificate along.
    expect(await edge.apply(2, [], ['test/staging/api'])).toMatchObject({ applied: true });
    expect(await shown(tlsPort, 'b.example')).toBe('a');
  });

  test('is closed when it is to have certificates that are not there', async () => {
    const folder = tempDir();
    const a = await certificate(folder, 'a', ['a.example']);
    const { edge, port, tlsPort, config } = await behindTls([a]);
    edge.letsGo = true;
    const { tls } = config();
    const none = { cert: `${folder}/none.crt`, key: `${folder}/none.key` };
    await edge.set(2, { ...config(), ...(tls && { tls: { ...tls, certificates: [none] } }) });
    expect((await edge.state()).tls?.[0]?.error).toContain('there is no file');
    expect((await send({ port, headers: { host: 'a.example' } })).status).toBe(200);
    await edge.set(3, config());
    expect(await shown(tlsPort, 'a.example')).toBe('a');
  });

  test('may be one that was served in plain before, and the other way round', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { edge, port, tlsPort, config } = await behindTls([a]);
    edge.letsGo = true;
    const { tls, ...plain } = config();
    const routes = (at: number) => [{ port: at, host: null, path: '/' }];
    await edge.set(2, { ...plain, routes: routes(tlsPort), ...(tls && { tls: { ...tls, port } }) });
    expect((await sendTls({ port, ca: a.pem })).status).toBe(200);
    expect((await send({ port: tlsPort, headers: { host: 'a.example' } })).headers.location).toContain(`:${port}/`);
  });
});
