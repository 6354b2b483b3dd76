import { readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificate, noOpenssl } from '../support/certificates.ts';
import type { EdgeHarness, TestEdge } from '../support/edge-harness.ts';
import { behindTls, sendTls, shake, shown } from '../support/edge-tls.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

/** Clients over TLS that never retry, some with a connection of their own for each request. */
function clients(port: number) {
  let running = true;
  let sent = 0;
  const failures: string[] = [];
  const one = async (keepAlive: boolean, pause: number): Promise<void> => {
    const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
    while (running) {
      sent++;
      await sendTls({ port, agent, rejectUnauthorized: false }).then(
        ({ status }) => status !== 200 && failures.push(String(status)),
        (error: NodeJS.ErrnoException) =>
          failures.push(`${keepAlive ? 'kept' : 'fresh'} ${error.code} ${error.message}`),
      );
      await sleep(pause);
    }
    if (agent !== false) agent.destroy();
  };
  const all = [one(true, 1), one(true, 40), one(false, 5), one(false, 20)];
  return {
    get sent() {
      return sent;
    },
    failures,
    async stop() {
      running = false;
      await Promise.all(all);
    },
  };
}

const problem = async (edge: EdgeHarness): Promise<string | null> =>
  (await edge.state()).tls?.[0]?.certificates[0]?.error ?? null;

describe.skipIf(noOpenssl !== null)('certificates that change', () => {
  test('are taken from replaced files and swapped links without a lost request; a broken one is not', async () => {
    const folder = tempDir();
    const made = async (name: string) => certificate(folder, name, ['a.example']);
    const [one, two, three] = [await made('one'), await made('two'), await made('three')];
    const link = (to: string, at: string): void => {
      symlinkSync(to, `${at}.new`);
      renameSync(`${at}.new`, at);
    };
    const current = { cert: join(folder, 'current.crt'), key: join(folder, 'current.key') };
    link(one.cert, current.cert);
    link(one.key, current.key);
    const { edge, tlsPort } = await behindTls([current]);
    expect(await shown(tlsPort, 'a.example')).toBe('one');
    const load = clients(tlsPort);
    onTestFinished(() => load.stop());

    const open = await shake(tlsPort);
    link(two.cert, current.cert);
    link(two.key, current.key);
    await waitFor(async () => (await shown(tlsPort, 'a.example')) === 'two', { what: 'the link to be followed' });
    // A new file in the place of the old one, as programs that renew write it.
    for (const [from, to] of [
      [three.cert, two.cert],
      [three.key, two.key],
    ] as const) {
      writeFileSync(`${to}.new`, readFileSync(from));
      renameSync(`${to}.new`, to);
    }
    await waitFor(async () => (await shown(tlsPort, 'a.example')) === 'three', { what: 'the new file' });

    // Half a file, another's key, and none at all: what is in use stays.
    const whole = readFileSync(two.cert);
    writeFileSync(two.cert, whole.subarray(0, 100));
    await waitFor(async () => (await problem(edge))?.includes('holds no certificate'), { what: 'the torn file' });
    expect(await shown(tlsPort, 'a.example')).toBe('three');
    writeFileSync(two.cert, readFileSync(one.cert));
    await waitFor(async () => (await problem(edge))?.includes('is not the key of'), { what: 'the wrong key' });
    const told = (): number => edge.log.split('is not the key of').length - 1;
    await waitFor(() => told() === 1, { what: 'it to be told' });
    await sleep(500); // several more looks
    expect(told()).toBe(1);
    expect(await shown(tlsPort, 'a.example')).toBe('three');
    writeFileSync(two.cert, whole);
    await waitFor(async () => (await problem(edge)) === null, { what: 'the mended file' });

    // A connection from before all this is still the one it was.
    open.write('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n');
    expect(String((await once(open, 'data'))[0])).toMatch(/^HTTP\/1.1 200/);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.sent).toBeGreaterThan(50);
    expect(edge.log).not.toContain('PRIVATE');
  });
});

describe.skipIf(noOpenssl !== null)('a hand-over', () => {
  test('loses no request over TLS, and who returns resumes the session at the next edge', async () => {
    const a = await certificate(tempDir(), 'a', ['a.example']);
    const { edge, first, tlsPort } = await behindTls([a]);
    const load = clients(tlsPort);
    onTestFinished(() => load.stop());
    const versions = ['TLSv1.2', 'TLSv1.3'] as const;
    const sessions = await Promise.all(versions.map((version) => sessionOf(tlsPort, version)));
    const left: Promise<unknown>[] = [];
    let current: TestEdge = first;
    for (let swap = 0; swap < 2; swap++) {
      await sleep(500);
      left.push(current.exited);
      current = await edge.handOver(current);
    }
    await sleep(500);
    for (const [index, version] of versions.entries()) {
      const again = await shake(tlsPort, { maxVersion: version, session: sessions[index] });
      expect([version, again.isSessionReused()]).toEqual([version, true]);
      again.destroy();
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.sent).toBeGreaterThan(50);
    expect(statSync(join(edge.folder, 'tls-tickets')).mode & 0o777).toBe(0o600);
    await Promise.all(left);
  });
});

async function sessionOf(port: number, version: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  const socket: TLSSocket = await shake(port, { maxVersion: version });
  const session = socket.getProtocol() === 'TLSv1.3' ? (once(socket, 'session') as Promise<[Buffer]>) : null;
  socket.write('GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n');
  const got = session === null ? socket.getSession() : (await session)[0];
  socket.resume();
  await once(socket, 'close');
  if (got === undefined) throw new Error('no session');
  return got;
}
