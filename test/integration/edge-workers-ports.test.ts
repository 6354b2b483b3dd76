import { describe, expect, test } from 'vitest';
import { certificate, noOpenssl } from '../support/certificates.ts';
import type { EdgeHarness } from '../support/edge-harness.ts';
import { send } from '../support/edge-harness.ts';
import { behindTls, sendTls, shake } from '../support/edge-tls.ts';
import { acceptedBy, callers } from '../support/edge-workers.ts';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/temp.ts';

/** By connections over TLS until each has accepted one. */
async function allServeTls(edge: EdgeHarness, port: number): Promise<void> {
  const { workers = [] } = await edge.state();
  const met = new Set<number>();
  for (let i = 0; i < 200 && met.size < workers.length; i++) {
    const socket = await shake(port);
    met.add(acceptedBy(socket, workers));
    socket.destroy();
  }
  expect(met).toEqual(new Set(workers));
}

/** An edge of two workers that serves in plain and over TLS, at whatever port. */
async function crewed() {
  const a = await certificate(tempDir(), 'a', ['a.example']);
  const made = await behindTls([a], {}, { env: { EVENKEEL_EDGE_WORKERS: '2' } });
  made.edge.letsGo = true;
  const { tls } = made.config();
  const swapped = (plain: number, secure: number, more: readonly number[] = []) =>
    made.config({
      routes: [plain, ...more].map((each) => ({ port: each, host: null, path: '/' })),
      ...(tls && { tls: { ...tls, port: secure } }),
    });
  return { ...made, swapped, pem: a.pem };
}

describe.skipIf(noOpenssl !== null)('a port of several workers', () => {
  test('may speak TLS instead of plain from one command to the next, and the other way round', async () => {
    const { edge, port, tlsPort, swapped, pem } = await crewed();
    const { workers } = await edge.state();
    for (const [index, [plain, secure]] of [
      [tlsPort, port],
      [port, tlsPort],
      [tlsPort, port],
    ].entries()) {
      if (plain === undefined || secure === undefined) throw new Error('no ports');
      await edge.set(2 + index, swapped(plain, secure));
      for (let i = 0; i < 8; i++) expect((await sendTls({ port: secure, ca: pem })).status).toBe(200);
      const { headers } = await send({ port: plain, headers: { host: 'a.example' } });
      expect(headers.location).toContain(`:${secure}/`);
      await allServeTls(edge, secure);
      await callers(edge, plain);
    }
    // Nobody was too slow, or told of a socket too early.
    expect((await edge.state()).workers).toEqual(workers);

    const taken = await freePort();
    edge.refused.set(taken, 'EADDRINUSE');
    const { applied } = await edge.apply(5, [swapped(port, tlsPort, [taken])]);
    expect(applied).toBe(false);
    await allServeTls(edge, port);
    await callers(edge, tlsPort);
    expect((await edge.state()).workers).toEqual(workers);
  });

  test('may do so while one of them is being started', async () => {
    const { edge, first, port, tlsPort, swapped, pem } = await crewed();
    const followers = async () => ((await edge.state()).workers ?? []).filter((pid) => pid !== first.pid);
    const [former = 0] = await followers();
    process.kill(former, 'SIGKILL');
    let fence = 1;
    for (let now: number[] = []; now.length === 0 || now.includes(former); now = await followers()) {
      const [plain, secure] = fence % 2 === 0 ? [port, tlsPort] : [tlsPort, port];
      await edge.set(++fence, swapped(plain, secure));
      expect((await edge.state()).tls).toMatchObject([{ port: secure, error: null }]);
      expect((await sendTls({ port: secure, ca: pem })).status).toBe(200);
    }
    await allServeTls(edge, fence % 2 === 0 ? port : tlsPort);
  });
});
