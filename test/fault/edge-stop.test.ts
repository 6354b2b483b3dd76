import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import type { TestEdge } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

/** A leak of one file for each would show. */
const TIMES = 25;

/** The limits of hand-overs, far beyond those of this test. */
const LONG = { EVENKEEL_EDGE_DRAIN_MS: '600000', EVENKEEL_EDGE_IDLE_GRACE_MS: '600000' };

async function busyEdge() {
  const edge = new EdgeHarness({ ...LONG, EVENKEEL_EDGE_SHUTDOWN_MS: '3000' });
  const process = await edge.start();
  const api = await upstream('api', (req, res) => {
    if (req.url === '/events') {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: first\n\n');
    } else if (req.url === '/upload') req.resume();
    else if (req.url === '/never') return;
    else setTimeout(() => res.end('ok'), req.url === '/slow' ? 1_000 : 0);
  });
  const sockets = new WebSocketServer({ server: api.server });
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  const [port, heldPort, nobody] = [await freePort(), await freePort(), await freePort()];
  await edge.set(
    1,
    service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }], { timeoutMs: 600_000 }),
    service('held', heldPort, [{ release: 'held@1', weight: 100, ports: [nobody] }]),
  );
  await edge.healthy(`api@1-${api.port}`);
  return { edge, process, api, port, heldPort };
}

function rawClient(port: number, text: string) {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += String(chunk)));
  socket.on('error', () => undefined);
  socket.write(text);
  return { answer: () => answer, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

/** Opens one of everything that could keep an edge from leaving. */
async function occupy({ edge, api, port, heldPort }: Awaited<ReturnType<typeof busyEdge>>) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, 'open');
  const goodbye = once(socket, 'close');
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  await send({ port, agent });
  const events = rawClient(port, 'GET /events HTTP/1.1\r\nhost: x\r\n\r\n');
  const upload = rawClient(port, 'POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nsome of it');
  const never = rawClient(port, 'GET /never HTTP/1.1\r\nhost: x\r\n\r\n');
  const half = rawClient(port, 'GET /half HTTP/1.1\r\nhost: ');
  const slow = send({ port, path: '/slow' });
  const held = send({ port: heldPort });
  await waitFor(() => events.answer().includes('first') && api.requests.length === 5, {
    what: 'everybody to be there',
  });
  await waitFor(async () => (await edge.state()).services.some((each) => each.held === 1), { what: 'one to wait' });
  return { goodbye, events, upload, never, half, slow, held };
}

/** Stops within the limit of a stop, far within that of a drain; and everybody hears what can still be said. */
async function expectQuickEnd(process: TestEdge, all: Awaited<ReturnType<typeof occupy>>): Promise<void> {
  expect((await all.held).status).toBe(503);
  expect((await all.goodbye)[0]).toBe(1012);
  expect((await all.slow).body).toBe('ok');
  await all.events.closed;
  expect(all.events.answer()).toMatch(/data: first\n\n\r\n0\r\n\r\n$/);
  await Promise.all([all.upload.closed, all.never.closed, all.half.closed]);
  expect(await process.exited).toMatchObject({ code: 0 });
}

describe('an edge that is stopped', () => {
  test('with streams, uploads, slow replies and idle connections leaves in bounded time', async () => {
    const busy = await busyEdge();
    const all = await occupy(busy);
    busy.process.child.send({ type: 'shutdown' });
    await expectQuickEnd(busy.process, all);
    expect(busy.edge.log).not.toContain('"error"');
  });

  test('by a signal, the same', async () => {
    const busy = await busyEdge();
    const all = await occupy(busy);
    busy.process.child.kill('SIGTERM');
    await expectQuickEnd(busy.process, all);
  });

  test('while it drains for a successor, hurries', async () => {
    const busy = await busyEdge();
    const all = await occupy(busy);
    await busy.edge.handOver(busy.process);
    await waitFor(async () => (await busy.edge.state()).pid !== busy.process.pid, { what: 'the successor to answer' });
    busy.process.child.send({ type: 'shutdown' });
    await expectQuickEnd(busy.process, all);
  });
});

describe('many hand-overs', () => {
  test('leave no file, socket or process behind', async () => {
    const edge = new EdgeHarness({ EVENKEEL_EDGE_IDLE_GRACE_MS: '0' });
    const api = await upstream('api');
    const ports = [await freePort(), await freePort(), await freePort()];
    let current = await edge.start();
    await edge.set(
      1,
      ...ports.map((port, i) => service(`api${i}`, port, [{ release: `api${i}@1`, weight: 100, ports: [api.port] }])),
    );
    await edge.healthy(...ports.map((_, i) => `api${i}@1-${api.port}`));
    const open = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
    const [edgeBefore, before] = [open(current.pid), open(process.pid)];
    for (let i = 0; i < TIMES; i++) {
      const former = current;
      current = await edge.handOver(former);
      const replies = await Promise.all(ports.map((port) => send({ port })));
      expect(replies.map(({ body }) => body)).toEqual(['api', 'api', 'api']);
      await former.exited;
    }
    await waitFor(() => open(current.pid) <= edgeBefore + 4, { what: 'the edge to hold no more than the first' });
    // The test is the keeper here.
    await waitFor(() => open(process.pid) <= before + 4, { what: 'the keeper to hold no more than at first' });
    const folder = readdirSync(`${edge.folder}/counters`);
    expect(folder.length).toBeLessThan(6);
    const { releases } = await edge.stats();
    expect(releases.map(({ requests }) => requests)).toEqual([TIMES, TIMES, TIMES]);
    expect(edge.edges.size).toBe(1);
  }, 180_000);
});
