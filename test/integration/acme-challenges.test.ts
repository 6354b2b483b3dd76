import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Challenge, ChallengeReply } from '../../src/domain/traffic/challenges.ts';
import { challengeCertificate } from '../../src/drivers/certificates/acme/requests.ts';
import { keyText, newKey } from '../../src/drivers/certificates/acme/files.ts';
import { unixClient } from '../../src/platform/unix-http.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { send } from '../support/edge-harness.ts';
import { behindTls, sendTls, shake } from '../support/edge-tls.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const HOUR = 3_600_000;
const PREFIX = '/.well-known/acme-challenge/';

const http = (token: string, over: Partial<Extract<Challenge, { type: 'http-01' }>> = {}): Challenge => ({
  type: 'http-01',
  host: 'a.example',
  token,
  until: Date.now() + HOUR,
  answer: `${token}.thumbprint`,
  ...over,
});

function overTls(token: string, host: string): Challenge {
  const key = newKey();
  const cert = challengeCertificate({ host, keyAuthorization: `${token}.thumbprint`, now: Date.now() }, key);
  return { type: 'tls-alpn-01', host, token, until: Date.now() + HOUR, certificate: { cert, key: keyText(key) } };
}

async function world() {
  const a = await certificate(tempDir('tls'), 'a', ['a.example', 'b.example']);
  const system = await behindTls([a], {}, { env: { EVENKEEL_EDGE_IDLE_GRACE_MS: '100' } });
  const change = async (add: unknown[], remove: string[] = []): Promise<ChallengeReply['refused']> => {
    const client = unixClient({ socketPath: system.edge.socket, peer: 'edge', timeoutMs: 5_000 });
    try {
      const reply = (await client.json({
        method: 'POST',
        path: '/challenges',
        body: { add, remove },
      })) as ChallengeReply;
      return reply.refused;
    } finally {
      client.close();
    }
  };
  const ask = async (path: string, method = 'GET', host = 'a.example') => {
    const { status, body } = await send({ port: system.port, path, method, headers: { host } });
    return [status, body];
  };
  return { ...system, a, change, ask };
}

describe.skipIf(noOpenssl !== null)('challenges of issuers', () => {
  test('by HTTP are answered with what was given and nothing else, before the redirect and after a hand-over', async () => {
    const { edge, first, change, ask, api } = await world();
    expect(await change([http('tok-en_1'), http('old', { until: Date.now() - 1 })])).toBe(null);
    expect(await ask(`${PREFIX}tok-en_1`)).toEqual([200, 'tok-en_1.thumbprint']);
    // The issuer may ask for any host, with any query, and look at the head alone.
    expect(await ask(`${PREFIX}tok-en_1?x=1`, 'GET', 'other.example')).toEqual([200, 'tok-en_1.thumbprint']);
    expect(await ask(`${PREFIX}tok-en_1`, 'HEAD')).toEqual([200, '']);
    expect(api.requests).toEqual([]);
    // Others may be meant for a program that gets certificates by itself.
    for (const path of ['unknown', 'old', '', '../../../etc/passwd', '..%2f..%2ftable', 'tok-en_1/', 'TOK-EN_1'])
      expect(await ask(PREFIX + path), path).toEqual([200, 'api']);
    expect(await ask(`${PREFIX}tok-en_1`, 'POST')).toEqual([200, 'api']);

    const second = await edge.handOver(first);
    await first.exited;
    expect(await ask(`${PREFIX}tok-en_1`)).toEqual([200, 'tok-en_1.thumbprint']);
    expect(await change([http('two')], ['tok-en_1'])).toBe(null);
    expect(await ask(`${PREFIX}tok-en_1`)).toEqual([200, 'api']);
    // kill -9, and the next one answers, too.
    second.child.kill('SIGKILL');
    await second.exited;
    await edge.start();
    expect(await ask(`${PREFIX}two`)).toEqual([200, 'two.thumbprint']);
    // Told twice, or late, is told once.
    expect(await change([http('two')], ['tok-en_1', 'never'])).toBe(null);
    expect(await ask(`${PREFIX}two`)).toEqual([200, 'two.thumbprint']);
    expect(readFileSync(join(edge.folder, 'challenges'), 'utf8')).not.toContain('tok-en_1');
  });

  test('keep nobody waiting who was served with other certificates until then', async () => {
    const { edge, a, port, tlsPort, config } = await world();
    const b = await certificate(tempDir('tls'), 'b', ['c.example']);
    const given = [a, b].map(({ cert, key }) => ({ cert, key }));
    const { tls: before } = config();
    if (before === undefined) throw new Error('no TLS');
    await edge.set(2, config({ tls: { ...before, certificates: given } }));
    const folder = tempDir('issued');
    const pem = join(folder, 'a.pem');
    const tls = {
      port: tlsPort,
      bind: '127.0.0.1',
      certificates: [{ cert: pem, key: pem, issuedFor: 'a.example' }],
      redirect: true,
      hsts: 'off' as const,
    };
    await edge.set(3, config({ tls }));
    expect((await sendTls({ port: tlsPort, ca: a.pem })).body).toBe('api');
    expect((await sendTls({ port: tlsPort, ca: b.pem, servername: 'c.example' })).body).toBe('api');
    expect((await send({ port, headers: { host: 'a.example' } })).status).toBe(308);
    const fresh = await certificate(folder, 'fresh', ['a.example']);
    writeFileSync(pem, `${fresh.pem}${readFileSync(fresh.key, 'utf8')}`);
    const shown = async () => (await shake(tlsPort, { servername: 'a.example' })).getPeerCertificate().subject.CN;
    await waitFor(async () => (await shown()) === 'fresh', { what: 'the new certificate', timeout: 40_000 });
    expect((await sendTls({ port: tlsPort, ca: fresh.pem })).body).toBe('api');
  });

  test('are refused where they are not what an issuer could have asked for', async () => {
    const { change, ask } = await world();
    for (const wrong of [
      http('a/b'),
      http('..'),
      http(''),
      http('x'.repeat(300)),
      { ...http('a'), type: 'dns-01' },
      { ...http('a'), answer: 'x'.repeat(5_000) },
      null,
    ])
      expect((await change([wrong]))?.reason, JSON.stringify(wrong)?.slice(0, 60)).toBe('invalid');
    const unusable = { ...overTls('t', 'a.example'), certificate: { cert: 'no', key: 'no' } };
    expect((await change([unusable]))?.reason).toBe('invalid');
    const many = (from: number) => Array.from({ length: 100 }, (_, index) => http(`t${from + index}`));
    expect([await change(many(0)), await change(many(100))]).toEqual([null, null]);
    expect((await change([http('one-more')]))?.reason).toBe('full');
    expect(await ask(`${PREFIX}t7`)).toEqual([200, 't7.thumbprint']);
  });

  test('by TLS are answered to who asks for them, and everybody else is served as before', async () => {
    const { edge, first, a, change, tlsPort } = await world();
    const acme = { ALPNProtocols: ['acme-tls/1'] };
    await expect(shake(tlsPort, { ...acme, servername: 'a.example' })).rejects.toThrow(/alert|protocol/i);
    expect(await change([overTls('one', 'a.example')])).toBe(null);
    const prove = async (): Promise<string> => {
      const socket = await shake(tlsPort, { ...acme, servername: 'A.example' });
      const { subject } = socket.getPeerCertificate();
      expect(socket.alpnProtocol).toBe('acme-tls/1');
      if (!socket.destroyed) await once(socket.resume(), 'close');
      return String(subject.CN);
    };
    expect(await prove()).toBe('evenkeel challenge');
    // Of this host alone, and only by this protocol.
    await expect(shake(tlsPort, { ...acme, servername: 'b.example' })).rejects.toThrow(/alert|protocol/i);
    expect((await shake(tlsPort, { servername: 'a.example' })).getPeerCertificate().subject.CN).toBe('a');
    expect((await sendTls({ port: tlsPort, ca: a.pem, method: 'POST' }, 'x'.repeat(100_000))).body).toBe('api');
    // Who says nothing, half of it, or something else, keeps nobody waiting.
    const silent = connectPlain({ port: tlsPort, host: '127.0.0.1' });
    const half = connectPlain({ port: tlsPort, host: '127.0.0.1' });
    const other = connectPlain({ port: tlsPort, host: '127.0.0.1' });
    for (const socket of [silent, half, other]) socket.on('error', () => undefined);
    half.write(Buffer.from([22, 3, 1, 2]));
    other.write('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n');
    await once(other.resume(), 'close');
    expect((await sendTls({ port: tlsPort, ca: a.pem })).status).toBe(200);
    half.destroy();
    silent.destroy();

    await edge.handOver(first);
    await first.exited;
    expect(await prove()).toBe('evenkeel challenge');
    expect(await change([], ['one'])).toBe(null);
    await expect(shake(tlsPort, { ...acme, servername: 'a.example' })).rejects.toThrow(/alert|protocol/i);
  });
});
