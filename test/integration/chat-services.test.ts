import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { loadProject } from '../../src/config/load-project.ts';
import { CHAT_SECRET, copyChat, launch, runChat, startChat } from '../support/chat-system.ts';
import type { Started } from '../support/chat-system.ts';
import { startLoad } from '../support/load/load.ts';
import { standardLoad } from '../support/load/options.ts';
import { mintToken } from '../support/load/session.ts';
import { waitFor } from '../support/wait.ts';

describe('the event stream', () => {
  test('has the messages that any instance stores, and resumes at another one without a hole', async () => {
    const { folder, api, model } = await startApi();
    const other = await startChat(folder, 'api/main.js', { MODEL_URL: model.url });
    await post(api, 'one');
    const stream = follow(api);
    await waitFor(() => stream.text().includes('event: hello'), { what: 'the stream to open' });
    await post(other, 'two');
    await waitFor(() => ids(stream.text()).includes(2), { what: 'the message of the other instance' });
    expect(ids(stream.text())).toEqual([1, 2]);
    stream.end();

    await post(api, 'three');
    const resumed = follow(other, { 'last-event-id': '2' });
    await waitFor(() => resumed.text().includes('"three"'), { what: 'the message in between' });
    expect(ids(resumed.text())).toEqual([2, 3]);
  });

  test('shows signs of life while nothing happens', async () => {
    const { api } = await startApi({ HEARTBEAT_MS: '50' });
    const stream = follow(api);
    await waitFor(() => stream.text().includes(': still here\n\n'), { what: 'a heartbeat' });
  });
});

test('on SIGTERM the API finishes what it has begun, ends its streams between events, and leaves with 0', async () => {
  const { api } = await startApi();
  const stream = follow(api);
  await waitFor(() => stream.text().includes('event: hello'), { what: 'the stream to open' });
  const slow = fetch(`${api.url}/api/slow?ms=1000`);
  const early = await fetch(`${api.url}/api/slow?ms=0`);
  expect(early.status).toBe(200);
  api.child.kill('SIGTERM');

  await waitFor(async () => (await fetch(`${api.url}/api/version`).catch(() => 'refused')) === 'refused', {
    what: 'new connections to be refused',
  });
  expect(await stream.ended).toBe('complete');
  const reply = await slow;
  expect(reply.status).toBe(200);
  expect(await reply.json()).toMatchObject({ ms: 1000 });
  expect(await api.ended).toBe(0);
});

describe('the WebSocket server', () => {
  test('echoes to the sender, broadcasts what is said, and answers pings and long messages', async () => {
    const ws = await startChat(copyChat(), 'ws/main.js');
    const ann = await connect(ws);
    const bob = await connect(ws);
    ann.socket.send(JSON.stringify({ type: 'echo', seq: 7 }));
    await waitFor(() => ann.received.some((m) => m.type === 'echo' && m.seq === 7), { what: 'the echo' });
    ann.socket.send(JSON.stringify({ type: 'say', text: 'ahoy' }));
    await waitFor(() => bob.received.some((m) => m.type === 'said' && m.text === 'ahoy'), { what: 'the broadcast' });
    expect(bob.received.some((m) => m.type === 'echo')).toBe(false);

    const ponged = new Promise((resolve) => ann.socket.once('pong', resolve));
    ann.socket.ping();
    await ponged;
    const long = 'x'.repeat(1500);
    // In two frames, as RFC 6455 allows.
    ann.socket.send('{"type":"say",', { fin: false });
    ann.socket.send(`"text":"${long}"}`, { fin: true });
    await waitFor(() => bob.received.some((m) => m.text === long), { what: 'the long message' });
  });

  test.each([
    ['something that is not JSON', 'hello', 1007],
    ['more than it wants to hold', 'x'.repeat(70_000), 1009],
  ])('refuses %s', async (_name, text, code) => {
    const ws = await startChat(copyChat(), 'ws/main.js');
    const ann = await connect(ws);
    ann.socket.send(text);
    expect(await ann.closed).toBe(code);
    expect((await fetch(`${ws.url}/ws/health`)).status).toBe(200);
  });

  test('on SIGTERM sends everybody 1012 and leaves with 0', async () => {
    const ws = await startChat(copyChat(), 'ws/main.js');
    const [ann, bob] = [await connect(ws), await connect(ws)];
    ws.child.kill('SIGTERM');
    expect(await ann.closed).toBe(1012);
    expect(await bob.closed).toBe(1012);
    expect(await ws.ended).toBe(0);
  });

  test('answers 400 to an upgrade that is none', async () => {
    const ws = await startChat(copyChat(), 'ws/main.js');
    const status = await new Promise((resolve, reject) => {
      const req = request(`${ws.url}/ws`, { headers: { connection: 'Upgrade', upgrade: 'websocket' } });
      req.on('response', (res) => resolve(res.resume().statusCode)).on('error', reject);
      req.end();
    });
    expect(status).toBe(400);
  });
});

test('the model answers in its own time, and leaves with 0', async () => {
  const model = await startChat(copyChat(), 'model/main.js');
  expect((await fetch(`${model.url}/health`)).status).toBe(200);
  const reply = await fetch(`${model.url}/generate`, { method: 'POST', body: '{"text":"three little words"}' });
  expect(await reply.json()).toEqual({ reply: '3 words, the longest: “little”' });
  model.child.kill('SIGTERM');
  expect(await model.ended).toBe(0);
});

test('a port in use is said, and ends the service', async () => {
  const folder = copyChat();
  const model = await startChat(folder, 'model/main.js');
  const second = launch(folder, 'model/main.js', { PORT: new URL(model.url).port });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain('EADDRINUSE');
});

test.each(['development', 'production'])('its evenkeel.yaml says what there is, in %s', async (environment) => {
  const result = await loadProject({ root: copyChat(), environment, processEnv: {} });
  if (!result.ok) expect.unreachable(JSON.stringify(result.problems));
  expect(result.warnings).toEqual([]);
  const names = result.project.services.map(({ name }) => name);
  expect(names.toSorted()).toEqual(['api', 'model', 'web', 'ws']);
  expect(names.indexOf('model')).toBeLessThan(names.indexOf('api'));
});

test('the page is built with assets whose names follow their content', async () => {
  const folder = copyChat();
  const assets = async () => {
    const built = await runChat(folder, 'web/build.mjs');
    expect(built.code, built.output).toBe(0);
    const page = readFileSync(join(folder, 'dist/web/index.html'), 'utf8');
    return [...page.matchAll(/"\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? '');
  };
  const first = await assets();
  expect(first).toEqual([
    expect.stringMatching(/^assets\/style\.[0-9a-f]{10}\.css$/),
    expect.stringMatching(/^assets\/app\.[0-9a-f]{10}\.js$/),
  ]);
  for (const name of first) expect(existsSync(join(folder, 'dist/web', name))).toBe(true);
  expect(await assets()).toEqual(first);
  const style = join(folder, 'web/style.css');
  writeFileSync(style, `${readFileSync(style, 'utf8')}\n/* changed */\n`);
  const [css, js] = await assets();
  expect(css).not.toBe(first[0]);
  expect(js).toBe(first[1]);
});

test('under a tenth of the standard load nothing fails, and every event reaches every stream', async () => {
  const { api } = await startApi();
  const { hostname: host, port } = new URL(api.url);
  const standard = standardLoad({ host, port: Number(port) }, 0.1, { jwtSecret: CHAT_SECRET });
  const { ws: _noSockets, ...options } = {
    ...standard,
    mix: standard.mix.filter(({ path }) => path.startsWith('/api')),
    idle: { users: 2, gapsMs: [200, 400] },
  };
  const load = await startLoad(options);
  await waitFor(() => load.snapshot().sse.events > 20 && load.snapshot().requests > 60, { what: 'some traffic' });
  const report = await load.stop();
  expect(report.examples).toEqual([]);
  expect(report.failed).toBe(0);
  expect(report.skipped).toBe(0);
  expect(report.byVersion['v1']?.requests).toBe(report.requests);
});

async function startApi(env: Record<string, string> = {}): Promise<{ folder: string; api: Started; model: Started }> {
  const folder = copyChat();
  expect((await runChat(folder, 'api/migrate.js')).code).toBe(0);
  const model = await startChat(folder, 'model/main.js');
  return { folder, model, api: await startChat(folder, 'api/main.js', { MODEL_URL: model.url, ...env }) };
}

async function post({ url }: Started, text: string): Promise<void> {
  const headers = { authorization: `Bearer ${mintToken('ann', CHAT_SECRET)}` };
  const reply = await fetch(`${url}/api/messages`, { method: 'POST', headers, body: JSON.stringify({ text }) });
  expect(reply.status).toBe(201);
}

function follow({ url }: Started, headers: Record<string, string> = {}) {
  let text = '';
  const req = request(`${url}/api/events`, { headers, agent: false });
  const ended = new Promise<'complete' | 'cut'>((resolve) => {
    req.on('error', () => resolve('cut'));
    req.on('response', (res) => {
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.on('error', () => undefined);
      res.on('close', () => resolve(res.complete ? 'complete' : 'cut'));
    });
  });
  req.end();
  onTestFinished(() => void req.destroy());
  return { ended, text: () => text, end: () => req.destroy() };
}

function ids(text: string): number[] {
  return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
}

async function connect({ url }: Started) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  const received: Record<string, unknown>[] = [];
  socket.on('message', (data) => received.push(JSON.parse(String(data)) as Record<string, unknown>));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  onTestFinished(() => socket.terminate());
  await waitFor(() => received.some(({ type }) => type === 'hello'), { what: 'the greeting' });
  return { socket, received, closed };
}
