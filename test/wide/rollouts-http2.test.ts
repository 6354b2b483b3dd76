import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { app, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { sendTls } from '../support/edge-tls.ts';
import { json, run } from '../support/features/command.ts';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

interface Sums {
  runs: number;
  total: number;
  started: number;
  succeeded: number;
  /** How the runs that were not whole ended. */
  broken: string[];
}

/** Clients of HTTP/2 that others wrote, one run after the other; null: they are not installed. */
function h2load(port: number) {
  const sums: Sums = { runs: 0, total: 0, started: 0, succeeded: 0, broken: [] };
  let running = true;
  const work = async (): Promise<Sums | null> => {
    while (running) {
      const args = ['-n', '600', '-c', '3', '-m', '4', `https://127.0.0.1:${port}/`];
      const ran = await runCommand(['h2load', ...args]).catch(() => null);
      if (ran === null) return null;
      const [line = ran.stdout, total, started, succeeded, ...rest] =
        /(\d+) total, (\d+) started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
          ran.stdout,
        ) ?? [];
      if (rest.length !== 3 || rest.some((each) => each !== '0')) sums.broken.push(line);
      sums.runs++;
      sums.total += Number(total);
      sums.started += Number(started);
      sums.succeeded += Number(succeeded);
    }
    return sums;
  };
  const result = work();
  const stop = (): typeof result => {
    running = false;
    return result;
  };
  /** Another run was begun and ended meanwhile, so that whatever was done is behind it. */
  const another = async (): Promise<void> => {
    const seen = sums.runs;
    await Promise.race([result, waitFor(() => sums.runs >= seen + 2, { what: 'two more runs of h2load' })]);
  };
  return { stop, another };
}

describe.skipIf(noOpenssl !== null)('rollouts under clients of HTTP/2', { timeout: 120_000 }, () => {
  test('lose nothing: promoted, taken back, aborted, and with another edge', async ({ skip }) => {
    const pair = await certificate(tempDir('tls'), 'shop', ['localhost', '127.0.0.1']);
    const port = await freePort();
    const options = {
      name: 'h2',
      environment: [`tls: { cert: ${pair.cert}, key: ${pair.key}, port: ${port} }`],
      rollout: ['canary: [{ weight: 50, for: 1h }]', 'onInconclusive: pause'],
    };
    const shop = await folder(options);
    await run(system, shop.root, ['up']);
    const serves = async (): Promise<string> => (await sendTls({ port, ca: pair.pem, servername: 'localhost' })).body;
    const begin = async (version: string): Promise<void> => {
      shop.program(app(version));
      await run(system, shop.root, ['deploy', 'api', '--wait', 'none']);
      const { rollouts } = await json<{ rollouts: RolloutView[] }>(system, shop.root, ['rollouts', '--limit', '1']);
      await system.reach(rollouts[0]?.id ?? '', ({ phase }) => phase === 'canary', 'its canary');
      await load.another();
    };
    const load = h2load(port);
    let ran: Sums | null = null;
    try {
      await load.another();
      await begin('v2');
      await run(system, shop.root, ['promote']);
      expect(await serves()).toBe('v2');
      await load.another();
      await run(system, shop.root, ['rollback', 'api']);
      expect(await serves()).toBe('v1');
      await begin('v3');
      await run(system, shop.root, ['abort']);
      await load.another();
      expect(await serves()).toBe('v1');
    } finally {
      ran = await load.stop();
    }
    if (ran === null) return skip('h2load is not installed (Debian: nghttp2-client)');
    expect(ran.broken).toEqual([]);
    expect([ran.started, ran.succeeded]).toEqual([ran.total, ran.total]);
    expect(ran.total).toBeGreaterThan(3_000);

    // Who is told that its connection is over opens no other, and calls failed what it never sent.
    const moved = h2load(port);
    await moved.another();
    await run(system, shop.root, ['server', 'restart']);
    await moved.another();
    const whole = await moved.stop();
    expect([whole?.succeeded, (whole?.succeeded ?? 0) > 500]).toEqual([whole?.started, true]);
    expect(await serves()).toBe('v1');
  });
});
