import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { whyNoGuests } from '../../src/drivers/runtime/process/guests.ts';
import { portGuard, whyNoPortGuard } from '../../src/drivers/runtime/process/port-guard.ts';
import { PORT_RANGE } from '../../src/drivers/runtime/process/ports.ts';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { instanceBench, scope } from '../support/runtime-bench.ts';
import { waitFor } from '../support/wait.ts';

const why = process.getuid?.() === 0 ? ((await whyNoGuests()) ?? (await whyNoPortGuard())) : 'this is not root';
if (why !== null) console.warn(`skipped, ports cannot be kept apart here: ${why}`);

/** One of this test: the rules of the machine stay as they are. */
const TABLE = `evenkeel_test_${process.pid}`;
afterAll(() => runCommand(['nft', 'delete', 'table', 'inet', TABLE]).catch(() => undefined));

/** Somebody who listens on a port of the range of instances. */
async function listening(): Promise<number> {
  for (let port = PORT_RANGE.first + (process.pid % 5_000); ; port++) {
    const server: Server = createServer((socket) => socket.on('error', () => {}).end('well')).listen(port, '127.0.0.1');
    const open = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!open) continue;
    onTestFinished(() => void server.close());
    return port;
  }
}

/** Asks each port, over and over, and writes how it went last. */
const ASKS = `
const { connect } = require('node:net');
const { renameSync, writeFileSync } = require('node:fs');
const seen = {};
setInterval(() => {
  for (const port of process.argv.slice(2)) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('data', () => { seen[port] = 'open'; });
    socket.on('error', (error) => { seen[port] = error.code; });
    socket.on('close', () => { writeFileSync('seen.tmp', JSON.stringify(seen)); renameSync('seen.tmp', 'seen.json'); });
  }
}, 200);
`;

describe.skipIf(why !== null)('a service with a user of its own', { timeout: 120_000 }, () => {
  test('reaches the ports that it was told of, and no other of a service, also after the firewall was loaded anew', async () => {
    const guard = portGuard(TABLE);
    const bench = instanceBench({ guard });
    writeFileSync(join(bench.artifact, 'asks.js'), ASKS);
    const [told, foreign] = [await listening(), await listening()];
    const id = bench.spec().id;
    await bench.runtime.start(
      bench.spec({
        runAs: { user: 'dynamic', service: 'api' },
        calls: [told],
        command: `exec node asks.js ${told} ${foreign}`,
      }),
    );
    const seen = (): Record<string, string> =>
      JSON.parse(readFileSync(join(bench.home, 'instances', id, 'work', 'seen.json'), 'utf8')) as Record<
        string,
        string
      >;
    const becomes = (expected: Record<string, string>, what: string): Promise<unknown> =>
      waitFor(() => JSON.stringify(seen()) === JSON.stringify(expected), { what, timeout: 45_000 }).catch(
        (cause: Error) => {
          throw new Error(`${cause.message}; it saw ${JSON.stringify(seen())}; ${bench.output()}`, { cause });
        },
      );
    const guarded = { [told]: 'open', [foreign]: 'ECONNREFUSED' };
    await becomes(guarded, 'one port to be open and the other closed');
    // Evenkeel itself, its edge, and everybody who is nobody's guest are kept from nothing.
    for (const port of [told, foreign]) {
      const socket = (await import('node:net')).connect(port, '127.0.0.1');
      await once(socket, 'data');
      socket.destroy();
    }

    await runCommand(['nft', 'delete', 'table', 'inet', TABLE]);
    await becomes({ [told]: 'open', [foreign]: 'open' }, 'the rules to be gone');
    // What evenkeel does every half minute.
    const again = instanceBench({ guard, home: bench.home });
    await again.runtime.observe(scope);
    await becomes(guarded, 'the rules to hold again');

    await bench.runtime.stop(id, { graceMs: 1_000, reason: 'enough' });
    await bench.ended();
    await bench.runtime.remove(id);
    const { stdout } = await runCommand(['nft', 'list', 'set', 'inet', TABLE, 'allowed']);
    expect(stdout).not.toContain(` . ${told}`);
  });
});

test('who cannot be kept from ports is told so in his log', async (context) => {
  const why = process.getuid?.() === 0 ? await whyNoGuests() : 'it takes root to run as another user';
  if (why !== null) return context.skip(why);
  const bench = instanceBench({ guard: { allow: async () => 'there is no nft', forget: async () => {} } });
  await bench.runtime.start(bench.spec({ runAs: { user: 'dynamic', service: 'api' }, command: 'true' }));
  await bench.ended();
  expect(bench.output()).toContain('ports of other services are open to it: there is no nft');
});
