import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EngineDeps } from '../../src/engine/deps.ts';
import { CertificateKeeper } from '../../src/engine/certificates/keeper.ts';
import type { EnvironmentRecord } from '../../src/ports/store.ts';
import { acmeWorld, HOST } from '../support/acme.ts';
import { noOpenssl } from '../support/certificates.ts';
import { sendTls, shake } from '../support/edge-tls.ts';
import { noPebble, type PebbleOptions } from '../support/pebble.ts';
import { waitFor } from '../support/wait.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SCOPE = { project: 'test', environment: 'production' };

/** What gets and renews certificates, with a clock of the test, on a real issuer and a real edge. */
async function keeping(over: Partial<PebbleOptions> = {}, hosts = [HOST]) {
  const world = await acmeWorld(over);
  let ahead = 0;
  let asked = Date.now();
  const lines: string[] = [];
  const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const record = (): Partial<EnvironmentRecord> => ({
    ...SCOPE,
    wanted: 'up',
    updatedAt: asked,
    config: {
      environment: { tls: { acme: world.acme, port: world.tlsPort } },
      services: [{ routes: hosts.map((host) => ({ host, path: '/' })) }],
    } as unknown as EnvironmentRecord['config'],
  });
  const deps = {
    store: { environments: () => Promise.resolve([record()]) },
    traffic: { state: () => world.edge.state() },
    clock: { now: () => Date.now() + ahead, sleep: () => Promise.resolve() },
    digest: (text: string) => createHash('sha256').update(text).digest('hex'),
    log: { info: write, warn: write, error: write },
  } as unknown as EngineDeps;
  const upkeep = new AbortController();
  let keeper = new CertificateKeeper(deps, world.open());
  onTestFinished(async () => {
    upkeep.abort();
    await keeper.stop();
  });
  const seen = (host = HOST) => keeper.of(SCOPE).find(({ wanted }) => wanted.id.host === host);
  return {
    ...world,
    lines,
    seen,
    look: () => keeper.look(upkeep.signal),
    /** As long as the clock stands still: until nothing is to be done any more. */
    async settle() {
      await waitFor(
        async () => {
          await keeper.look(upkeep.signal);
          const all = keeper.of(SCOPE);
          return all.length > 0 && all.every(({ ordering, decision }) => !ordering && decision.act === 'wait');
        },
        { what: 'certificates', timeout: 40_000, interval: 100 },
      );
      return seen();
    },
    /** Another controller, some time later. */
    later(ms: number, { restart = false } = {}) {
      ahead += ms;
      if (restart) keeper = new CertificateKeeper(deps, world.open());
    },
    up: () => void (asked = Date.now() + ahead),
  };
}

const serial = async (port: number): Promise<string> =>
  (await shake(port, { servername: HOST })).getPeerCertificate().serialNumber;

describe.skipIf(noPebble !== null || noOpenssl !== null)('certificates', () => {
  test('are got once, renewed in time and swapped in the edge, over restarts and while the issuer is away', async () => {
    const world = await keeping({ validity: 90 * 86_400 });
    const { issuer, tlsPort, pem } = world;
    expect((await world.settle())?.look.memory).toMatchObject({ failures: 0, orders: [expect.any(Number)] });
    const served = async (what: string, before = '') => {
      await waitFor(async () => (await serial(tlsPort)) !== before, { what, timeout: 40_000, interval: 100 });
      return serial(tlsPort);
    };
    const first = await served('the certificate');

    // Neither time nor a restart orders another before it is due.
    world.later(56 * DAY, { restart: true });
    expect((await world.settle())?.decision.reason).toMatch(/^it is renewed in/);
    expect(issuer.count('POST /order-plz')).toBe(1);

    // A renewal that does not work changes nothing for clients, is told, and is not tried again at once.
    await issuer.stop();
    world.later(5 * DAY);
    const failing = await world.settle();
    expect(failing?.look.memory).toMatchObject({
      failures: 1,
      lastFailure: { why: expect.stringContaining('ECONNREFUSED') },
    });
    expect(await serial(tlsPort)).toBe(first);
    expect((await sendTls({ port: tlsPort, rejectUnauthorized: false, headers: { host: HOST } })).body).toBe('api');
    world.later(0, { restart: true });
    expect((await world.settle())?.look.memory.failures).toBe(1);

    // It comes back and has forgotten everything: the account is made anew.
    await issuer.start();
    world.later(HOUR);
    expect((await world.settle())?.look.memory).toMatchObject({ failures: 0, lastFailure: null });
    expect(await served('the renewed certificate', first)).not.toBe(first);
    const story = world.seen()?.look.memory.story.map(({ text }) => text) ?? [];
    expect(story).toEqual([
      'ordered: there is none yet',
      expect.stringMatching(/^issued, valid until .*, by http-01$/),
      expect.stringMatching(/^failed: the issuer does not answer/),
      expect.stringMatching(/^ordered: it expires in/),
      // It had forgotten the account.
      expect.stringMatching(/^ordered: it expires in/),
      expect.stringMatching(/^issued/),
    ]);

    // Taken away by hand: it is got again, and clients notice nothing.
    rmSync(pem);
    world.later(2 * 60_000);
    expect((await world.settle())?.look.installed).not.toBe(null);
    const secret = readFileSync(pem, 'utf8').split('PRIVATE KEY-----')[1]?.trim().split('\n')[0] ?? '';
    expect(secret.length).toBeGreaterThan(20);
    expect(world.lines.join('\n')).not.toContain(secret);
  });

  test('that are refused are tried by the other challenge, later and later, and harm no other host', async () => {
    const bad = 'bad.example';
    // The issuer asks for TLS at a port where nobody is, and for HTTP at one that is not the edge's.
    const world = await keeping({ httpPort: 1, blocked: [bad] }, [HOST, bad]);
    // The edge serves both.
    const config = (await world.edge.state()).services[0]?.config;
    if (config === undefined) throw new Error('no service');
    const [route] = config.routes;
    if (route === undefined) throw new Error('no route');
    await world.edge.set(3, { ...config, routes: [route, { ...route, host: bad }] });
    const mine = await world.settle();
    expect(mine?.look.memory.lastFailure).toMatchObject({
      challenge: 'http-01',
      next: expect.stringContaining('port 80'),
    });
    expect(mine?.look.installed).toBe(null);
    expect(world.seen(bad)?.look.memory.lastFailure).toMatchObject({
      challenge: null,
      why: expect.stringContaining('rejectedIdentifier'),
    });
    // Somebody says that it is mended, twice: the second challenge works.
    world.later(1_000);
    world.up();
    expect((await world.settle())?.look.memory).toMatchObject({ failures: 0, lastFailure: null });
    expect(world.seen()?.look.memory.story.at(-1)?.text).toMatch(/by tls-alpn-01$/);
    for (let times = 0; times < 5; times++) {
      world.later(1_000);
      world.up();
      await world.settle();
    }
    expect(world.seen(bad)?.look.memory.orders.length).toBe(4);
    expect(world.seen(bad)?.decision.reason).toContain('4 orders for it within an hour');
    expect(world.seen()?.look.installed).not.toBe(null);
  });

  test('are not ordered where it could not be written down', async () => {
    const world = await keeping();
    const memory = world.pem.replace(/pem$/, 'json');
    mkdirSync(memory, { recursive: true });
    const refuses = () => world.lines.some((line) => line.includes('could not be written down'));
    await waitFor(() => world.look().then(refuses), { what: 'the word', timeout: 40_000, interval: 50 });
    expect(world.issuer.count('POST /order-plz')).toBe(0);
    rmSync(memory, { recursive: true });
    world.later(1_000);
    world.up();
    expect((await world.settle())?.look.installed).not.toBe(null);
    expect(world.issuer.count('POST /order-plz')).toBe(1);
  });
});
