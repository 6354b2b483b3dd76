import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { acmeWorld, HOST } from '../support/acme.ts';
import { noOpenssl } from '../support/certificates.ts';
import { send } from '../support/edge-harness.ts';
import { sendTls, shake } from '../support/edge-tls.ts';
import { noPebble } from '../support/pebble.ts';
import { waitFor } from '../support/wait.ts';

/** Base64 of the private keys in some files. */
function keysIn(files: readonly string[]): string[] {
  const texts = files
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8').replaceAll('\\n', '\n'));
  return texts.flatMap((text) =>
    [...text.matchAll(/BEGIN PRIVATE KEY-----([^-]*)-----END/g)].flatMap(([, key = '']) =>
      key.split('\n').filter((line) => line.length > 20),
    ),
  );
}

describe.skipIf(noPebble !== null || noOpenssl !== null)('a certificate by ACME', () => {
  test.for(['http-01', 'tls-alpn-01'] as const)('is issued by %s and served', async (type) => {
    // Half of all nonces are refused, as an issuer may.
    const env = { PEBBLE_WFE_NONCEREJECT: '50' };
    const { edge, port, tlsPort, issuer, issue, open, id, folder, told } = await acmeWorld({ env });
    expect((await edge.state()).tls).toMatchObject([{ error: null, waiting: expect.stringContaining(HOST) }]);
    // Until it is there everybody is served in plain, and nobody is sent to where there is nothing.
    expect((await send({ port, headers: { host: HOST } })).status).toBe(200);
    await expect(shake(tlsPort, { servername: HOST })).rejects.toThrow();

    const issued = await issue(type);
    expect(issued.challenge).toBe(type);
    expect(told).toContain(`the edge answers ${type}: test`);
    expect(await open().look(id)).toMatchObject({ installed: { notAfter: issued.notAfter }, ordered: false });
    await waitFor(async () => (await edge.state()).tls?.[0]?.waiting === null, {
      what: 'the certificate in use',
      timeout: 40_000,
    });
    const reply = await sendTls({ port: tlsPort, ca: await issuer.root(), servername: HOST, headers: { host: HOST } });
    expect(reply.body).toBe('api');
    expect((await send({ port, headers: { host: HOST } })).status).toBe(308);
    // Nothing is answered any more.
    expect(readFileSync(join(edge.folder, 'challenges'), 'utf8')).toMatch(/\[\]$/);

    const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
    expect(files.filter((path) => (statSync(path).mode & 0o077) !== 0)).toEqual([]);
    const keys = keysIn(files);
    // Of the certificate, and of the account.
    expect(keys.length).toBeGreaterThanOrEqual(4);
    for (const key of keys) expect(`${edge.log}${told.join()}${issuer.log()}`).not.toContain(key);
  });

  test('is got with one order and one account, wherever its controller was killed', async () => {
    const { issuer, issue, open, id, pem, folder, acme } = await acmeWorld();
    const orderFile = pem.replace(/pem$/, 'order.json');
    const once = (condition: () => boolean) => async (abort: () => void) => {
      await waitFor(condition, { what: 'the moment', timeout: 40_000, interval: 1 });
      abort();
    };
    const told = (start: string) => (abort: () => void) => (text: string) => {
      if (text.startsWith(start)) abort();
    };
    const points: [string, (abort: () => void) => Promise<void> | ((text: string) => void)][] = [
      ['the order is on disk', once(() => existsSync(orderFile))],
      ['the edge answers', told('the edge answers')],
      ['the issuer asks', once(() => issuer.count('Pulled a task') > 0)],
      ['the host is proven', told('the issuer believes')],
      ['the certificate is asked for', once(() => issuer.count('/finalize-order/') > 0)],
    ];
    const account = () => JSON.parse(readFileSync(join(dirname(pem), 'account.json'), 'utf8')) as { key: string };
    // What the issuer refuses is mended, and the key that it was told stays the account's.
    const choose = () => ({ type: null, reason: 'test' });
    const how = {
      acme: { ...acme, email: 'nobody' },
      choose,
      tell: () => undefined,
      ordering: () => Promise.resolve(),
      signal: new AbortController().signal,
    };
    const refused = await open()
      .issue(id, how)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ problem: 'invalidContact', next: expect.stringContaining('tls.acme.email') });
    const { key } = account();
    for (const [what, point] of points) {
      const controller = new AbortController();
      const way = point(() => controller.abort());
      const tell = typeof way === 'function' ? way : () => undefined;
      const attempt = issue('http-01', { signal: controller.signal, tell });
      await expect(attempt, what).rejects.toThrow(/abort/i);
      await way;
      expect(await open().look(id), what).toMatchObject({ installed: null, ordered: true });
    }
    const left = readFileSync(orderFile, 'utf8');
    await issue('http-01');
    expect(await open().look(id)).toMatchObject({ installed: { notBefore: expect.any(Number) }, ordered: false });
    expect(issuer.count('POST /order-plz')).toBe(1);
    expect(issuer.count('POST /sign-me-up')).toBe(2);
    expect(account().key).toBe(key);
    // Killed after that and before the order was put away: the next renewal is another order.
    writeFileSync(orderFile, left);
    expect((await open().look(id)).ordered).toBe(false);
    await issue('http-01');
    expect(issuer.count('POST /order-plz')).toBe(2);
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.tmp'))).toEqual([]);
  });
});
