import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { call, create, open, PARENT, patch, running, service } from './deployed.ts';
import { ask, endEmulators } from './emulated.ts';

afterEach(endEmulators);

/** Ends at once when it is told to, as programs do that leave the end of their requests to Cloud Run. */
const PROGRAM = `
const http = require('node:http');
const fs = require('node:fs');
const at = (name) => process.env.GATES + '/' + name;
fs.appendFileSync(at('starts'), process.pid + '\\n');
const gate = (name, then) => {
  const file = at(name);
  fs.writeFileSync(file + '.reached', '');
  const timer = setInterval(() => {
    if (!fs.existsSync(file)) return;
    clearInterval(timer);
    then();
  }, 10);
};
const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  const answer = () => response.end(String(process.pid));
  if (url.pathname === '/wait') return gate(url.searchParams.get('at'), answer);
  if (url.pathname === '/deaf') server.close();
  if (url.pathname === '/refuse') response.statusCode = 413;
  answer();
});
server.on('upgrade', (request, socket) =>
  gate('upgrade', () => socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\n')),
);
const listen = () => server.listen(process.env.PORT);
try {
  fs.unlinkSync(at('one-fails'));
  process.exit(3);
} catch {}
if (fs.existsSync(at('late'))) gate('start', listen);
else setTimeout(listen, Number(process.env.SLOW_START ?? 0));
`;

interface Deployed {
  emulator: Emulator;
  uri: string;
  /** Asks for something that is answered when the gate is opened; resolves once a program has it. */
  held: (at: string) => Promise<{ answer: ReturnType<typeof call> }>;
  openGate: (at: string) => void;
  /** Resolves once a program waits at the gate. */
  reached: (at: string) => Promise<unknown>;
  /** The programs that were started so far, by their pids. */
  starts: () => string[];
  /** Resolves once none of them runs. */
  ended: () => Promise<unknown>;
  template: object;
}

async function deployed(
  { env = [], ...more }: { env?: { name: string; value: string }[]; [key: string]: unknown } = {},
  options: Parameters<typeof running>[0] = {},
): Promise<Deployed> {
  const gates = tempDir('gates');
  const { emulator, image } = await running(options);
  const containers = [
    { image: await image('api', { 'main.js': PROGRAM }), env: [{ name: 'GATES', value: gates }, ...env] },
  ];
  const template = { containers, ...more };
  expect((await create(emulator, 'api', { template })).error).toBeUndefined();
  await open(emulator, 'api');
  const { uri } = await service(emulator, 'api');
  const reached = (at: string) =>
    waitFor(() => existsSync(join(gates, `${at}.reached`)), { what: `a program to wait at ${at}` });
  const started = () => readFileSync(join(gates, 'starts'), 'utf8').trim().split('\n');
  return {
    emulator,
    uri,
    template,
    reached,
    held: async (at) => {
      const answer = call(emulator, `${uri}/wait?at=${at}`);
      await reached(at);
      return { answer };
    },
    openGate: (at) => writeFileSync(join(gates, at), ''),
    starts: started,
    ended: () => waitFor(() => !started().some(isThere), { what: 'all instances to end' }),
  };
}

const isThere = (pid: string): boolean => existsSync(`/proc/${pid}/stat`);

const ends = (pid: string) => waitFor(() => !isThere(pid), { what: `process ${pid} to end` });

describe('a request that a program has', () => {
  test('is answered by it, although its revision was deleted meanwhile', async () => {
    const { emulator, uri, template, held, openGate } = await deployed();
    const before = await service(emulator, 'api');
    const { answer } = await held('deleted');
    const end = await patch(emulator, 'api', { template: { ...template, labels: { n: '2' } } });
    expect(end.error).toBeUndefined();
    const revision = before.latestReadyRevision.split('/').at(-1);
    const deleted = await ask(emulator, 'DELETE', 'run', `${PARENT}/services/api/revisions/${revision}`);
    expect(deleted.status).toBe(200);
    const other = await call(emulator, uri);
    openGate('deleted');
    const { status, text } = await answer;
    expect(status).toBe(200);
    expect(text).not.toBe(other.text);
    await ends(text);
  });

  test('is answered, although the service gets no instances any more', async () => {
    const { emulator, uri, held, openGate } = await deployed();
    const { answer } = await held('resting');
    await patch(emulator, 'api', { scaling: { scalingMode: 'MANUAL', manualInstanceCount: 0 } }, '?updateMask=scaling');
    expect((await call(emulator, uri)).status).toBe(503);
    openGate('resting');
    const { status, text } = await answer;
    expect(status).toBe(200);
    await ends(text);
  });

  test('is answered, although its instance takes no others any more', async () => {
    const { emulator, uri, held, openGate } = await deployed();
    const { answer } = await held('deaf');
    const deaf = await call(emulator, `${uri}/deaf`);
    const other = await call(emulator, uri);
    expect([other.status, other.text === deaf.text]).toEqual([200, false]);
    openGate('deaf');
    expect(await answer).toMatchObject({ status: 200, text: deaf.text });
    await ends(deaf.text);
  });

  test('and that it refuses before it has read it, gets this answer', async () => {
    const { emulator, uri } = await deployed();
    const body = 'x'.repeat(8_000_000);
    for (let each = 0; each < 10; each++)
      expect((await call(emulator, `${uri}/refuse`, { method: 'POST', body })).status).toBe(413);
  });
});

describe('a client that goes away', () => {
  const one = { maxInstanceRequestConcurrency: 1, scaling: { maxInstanceCount: 1 } };

  test('while it waits for an instance takes nobody’s place', async () => {
    const { emulator, uri, held, openGate } = await deployed(one, { waitMs: 500 });
    const { answer } = await held('busy');
    const impatient = request(emulator.url, { headers: { host: new URL(uri).host }, agent: false });
    impatient.on('error', () => {});
    await new Promise<void>((resolve) => impatient.end(resolve));
    await service(emulator, 'api'); // by now the emulator has read the one before
    impatient.destroy();
    openGate('busy');
    expect((await answer).status).toBe(200);
    expect((await call(emulator, uri)).status).toBe(200);
  });

  test('before its WebSocket is open takes nobody’s place', async () => {
    const { emulator, uri, reached, openGate } = await deployed(one, { waitMs: 500 });
    const { hostname, port } = new URL(emulator.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(`GET /ws HTTP/1.1\r\nhost: ${new URL(uri).host}\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n`);
    await reached('upgrade');
    socket.destroy();
    await service(emulator, 'api'); // by now the emulator has seen it go
    openGate('upgrade');
    await waitFor(async () => (await call(emulator, uri)).status === 200, { what: 'somebody else to be answered' });
  });
});

describe('a service without instances', () => {
  test('starts as many as its requests need, not one for each of them', async () => {
    const { emulator, uri, starts, ended } = await deployed({}, { idleMs: 50 });
    await ended();
    const before = starts().length;
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(emulator, uri)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(starts()).toHaveLength(before + 1);
  });

  test('refuses nobody for a start that fails while another one is under way', async () => {
    const template = { maxInstanceRequestConcurrency: 1, scaling: { maxInstanceCount: 2 } };
    const { emulator, uri, starts, ended, openGate } = await deployed(template, { idleMs: 50 });
    await ended();
    const before = starts().length;
    openGate('late');
    openGate('one-fails');
    const answers = [call(emulator, uri), call(emulator, uri)];
    await waitFor(() => starts().length === before + 2, { what: 'two starts' });
    await waitFor(
      () =>
        starts()
          .slice(before)
          .some((pid) => !isThere(pid)),
      { what: 'one of them to fail' },
    );
    openGate('start');
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('whose program starts slowly lets requests wait for that', async () => {
    const env = [{ name: 'SLOW_START', value: '1500' }];
    const { emulator, uri, ended } = await deployed({ env }, { idleMs: 50, waitMs: 100 });
    await ended();
    expect((await call(emulator, uri)).status).toBe(200);
  });
});
