import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { acmeCertificates } from '../../src/drivers/certificates/acme/acme-certificates.ts';
import type { IssueError } from '../../src/ports/certificates.ts';
import { certificate, noOpenssl, type TestCertificate } from '../support/certificates.ts';
import { tempDir } from '../support/temp.ts';

type Answer = (req: IncomingMessage, res: ServerResponse, base: string) => void;

const json = (res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void =>
  void res.writeHead(status, { 'replay-nonce': 'n', ...headers }).end(JSON.stringify(body));

/** An issuer that does as it should, but for `odd`, which answers true for what it has answered itself. */
async function issuer(own: TestCertificate, odd: (...args: Parameters<Answer>) => boolean): Promise<string> {
  const server = createServer({ cert: own.pem, key: readFileSync(own.key) }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', (req, res) => {
    req.resume();
    if (odd(req, res, base)) return;
    if (req.url === '/dir')
      json(res, 200, { newNonce: `${base}/nonce`, newAccount: `${base}/account`, newOrder: `${base}/order` });
    else if (req.url === '/nonce') json(res, 204, '');
    else if (req.url === '/account') json(res, 201, {}, { location: `${base}/me` });
    else json(res, 404, {});
  });
  return `${base}/dir`;
}

describe.skipIf(noOpenssl !== null)('an issuer that', () => {
  const cases: [string, (...args: Parameters<Answer>) => boolean, Partial<IssueError> | object][] = [
    [
      'is in maintenance says when it is back',
      (_req, res) => (json(res, 503, { detail: 'maintenance' }, { 'retry-after': '7200' }), true),
      { code: 'issuer-busy', why: 'maintenance', retryAfter: expect.any(Number) },
    ],
    [
      'limits orders says until when',
      (req, res) =>
        req.url === '/order' &&
        (json(
          res,
          429,
          { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many' },
          { 'retry-after': '7200' },
        ),
        true),
      { problem: 'rateLimited', why: 'too many (rateLimited)', retryAfter: expect.any(Number) },
    ],
    [
      'is none is named',
      (_req, res) => (res.end('<html>hello'), true),
      { code: 'issuer-unreadable', next: expect.stringContaining('tls.acme.directory') },
    ],
    [
      'wants to be asked in plain is not',
      (req, res) =>
        req.url === '/dir' &&
        (json(res, 200, { newNonce: 'http://127.0.0.1:1/', newAccount: 'file:///etc', newOrder: 'x' }), true),
      { code: 'issuer-unreadable' },
    ],
    [
      'names an order elsewhere is not followed',
      (req, res) => req.url === '/order' && (json(res, 201, {}, { location: 'http://127.0.0.1:1/' }), true),
      { code: 'issuer-unreadable' },
    ],
    [
      'sends without end is cut off',
      (_req, res) => (res.end(Buffer.alloc(2_000_000)), true),
      { code: 'issuer-unreachable', why: expect.stringContaining('longer than') },
    ],
    [
      'gives no nonce is named',
      (req, res, base) => {
        if (req.url !== '/dir') return (res.end(), true);
        const urls = { newNonce: `${base}/nonce`, newAccount: `${base}/account`, newOrder: `${base}/order` };
        return (res.end(JSON.stringify(urls)), true);
      },
      { code: 'issuer-unreadable', message: expect.stringContaining('nonce') },
    ],
    [
      'refuses all nonces is given up',
      (req, res) => req.method === 'POST' && (json(res, 400, { type: 'urn:ietf:params:acme:error:badNonce' }), true),
      { problem: 'badNonce' },
    ],
    ['hangs up is named', (req) => (req.socket.destroy(), true), { code: 'issuer-unreachable' }],
    [
      'sends to another address is not followed',
      (_req, res) => (json(res, 302, {}, { location: 'https://127.0.0.1:1/' }), true),
      { code: 'issuer-unreadable' },
    ],
  ];

  test.for(cases)('%s', async ([, odd, expected]) => {
    const folder = tempDir('hostile');
    const own = await certificate(folder, 'issuer', ['127.0.0.1']);
    const directory = await issuer(own, odd);
    const certificates = acmeCertificates({ folder, answer: () => Promise.resolve() });
    const issue = (ca: string | null) =>
      certificates
        .issue(
          { directory, host: 'a.example' },
          {
            acme: { directory, email: null, ca, challenge: null },
            choose: () => ({ type: null, reason: 'test' }),
            ordering: () => Promise.resolve(),
            tell: () => undefined,
            signal: new AbortController().signal,
          },
        )
        .catch((error: unknown) => error);
    const before = Date.now();
    const error = (await issue(own.cert)) as IssueError;
    expect(error).toMatchObject({ retryable: true, ...expected });
    if (error.retryAfter !== null) expect(error.retryAfter - before).toBeGreaterThan(7_000_000);
    // And one that nobody vouches for is not spoken to at all.
    expect(await issue(null)).toMatchObject({
      code: 'issuer-unreachable',
      next: expect.stringContaining('tls.acme.ca'),
    });
    expect(await issue('/nowhere.pem')).toMatchObject({ code: 'certificate-ca', where: '/nowhere.pem' });
  });
});
