import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withDefaults } from '../support/load/options.ts';
import type { LoadOptions, RequestKind } from '../support/load/options.ts';
import { spawnLoad } from '../support/load/spawn-load.ts';
import { get, listen, loadUntil, post } from '../support/load/trial.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

describe('a plain request fails once, and by its name, when', () => {
  const once = async (misbehave: RequestListener, options: Partial<LoadOptions> = {}) => {
    let count = 0;
    const port = await listen((req, res) => {
      req.resume();
      count += 1;
      if (count === 5) misbehave(req, res);
      else res.end('fine');
    });
    return await loadUntil(port, { mix: [get], rate: 50, ...options }, () => count >= 10);
  };

  test.each<[string, string, RequestListener]>([
    ['the connection is reset before the reply', 'reset', (req) => req.socket.resetAndDestroy()],
    ['the connection ends before the reply', 'reset', (req) => req.socket.end()],
    ['the server answers 500', '5xx', (_req, res) => res.writeHead(500).end('oh')],
    ['a proxy forgets its routes', 'status', (_req, res) => res.writeHead(404).end('who?')],
    ['a body is shorter than announced', 'truncated', (_req, res) => cutShort(res, { 'content-length': 100 })],
    ['a chunked body has no end', 'truncated', (_req, res) => cutShort(res, {})],
  ])('%s', async (_name, kind, misbehave) => {
    const report = await once(misbehave);
    expect(report.failures).toEqual({ [kind]: 1 });
    expect(report.failed).toBe(1);
    expect(report.examples).toMatchObject([{ kind, what: 'get' }]);
  });

  test('a POST is cut off: it is not sent again', async () => {
    const report = await once((req) => req.socket.destroy(), { mix: [post] });
    expect(report.failures).toEqual({ reset: 1 });
    expect(report.sent.posts).toBe(report.sent.http);
  });

  test('no reply comes in time', async () => {
    const report = await once(() => undefined, { timeoutMs: 1000 });
    expect(report.failures).toEqual({ timeout: 1 });
  });

  test('an upload arrives as something else', async () => {
    const upload: RequestKind = { ...post, name: 'upload', bytes: 10_000, echoesDigest: true };
    let count = 0;
    const port = await listen(async (req, res) => {
      const hash = createHash('sha256');
      for await (const chunk of req) hash.update(chunk);
      count += 1;
      if (count === 5) hash.update('one byte more');
      res.end(JSON.stringify({ sha256: hash.digest('hex') }));
    });
    const report = await loadUntil(port, { mix: [upload], rate: 20 }, () => count >= 10);
    expect(report.failures).toEqual({ 'wrong-body': 1 });
  });

  test('nobody listens', async () => {
    const port = await freePort();
    const report = await loadUntil(port, { mix: [get], rate: 20 }, (seen) => seen.failed >= 3);
    expect(report.failures).toEqual({ refused: report.requests });
  });
});

test('a connection that is closed just as a request is sent on it is a failure, not a second try', async () => {
  let closed = false;
  const port = await listen((req, res) => {
    const again = 'used' in req.socket;
    Object.assign(req.socket, { used: true });
    if (!again || closed) return void res.end('fine');
    closed = true;
    req.socket.resetAndDestroy();
  });
  const idle = { users: 1, gapsMs: [100] };
  const report = await loadUntil(port, { mix: [get], rate: 0.1, sessions: 1, idle }, () => closed);
  expect(report.failures).toEqual({ reset: 1 });
  expect(report.examples[0]?.detail).toContain('reused connection');
});

test('errors of a release that is bad on purpose are counted apart, those of others are not', async () => {
  let count = 0;
  const port = await listen((_req, res) => {
    count += 1;
    res.setHeader('x-app-version', count % 2 === 0 ? 'v3' : 'v2');
    res.writeHead(count === 4 || count === 5 ? 500 : 200).end();
  });
  const report = await loadUntil(port, { mix: [get], rate: 50, expectBadVersions: ['v3'] }, () => count >= 10);
  expect(report.badRelease).toEqual({ v3: 1 });
  expect(report.failures).toEqual({ '5xx': 1 });
  expect(report.examples).toMatchObject([{ version: 'v2' }]);
  expect(report.byVersion['v3']).toMatchObject({ status5xx: 1 });
  const { v2 = { requests: 0 }, v3 = { requests: 0 } } = report.byVersion;
  expect(v2.requests + v3.requests).toBe(report.requests);
  const seen = report.timeline.reduce((sum, { answered }) => sum + answered, 0);
  expect(seen).toBe(report.requests);
});

test('a session keeps its cookies and sends its token; some requests carry no cookie', async () => {
  const seen = new Map<string, Set<string>>();
  let bare = 0;
  const port = await listen((req, res) => {
    const user = userOf(req.headers.authorization, 'a secret of some length');
    const cookie = req.headers.cookie;
    if (cookie === undefined) bare += 1;
    else seen.set(user, (seen.get(user) ?? new Set()).add(cookie));
    if (cookie === undefined) res.setHeader('set-cookie', [`sid=${user}; Path=/; HttpOnly`, 'gone=1; Max-Age=0']);
    res.end();
  });
  const mix = [{ ...get, auth: true }];
  const options = { mix, rate: 100, sessions: 4, cookieless: 0.3, jwtSecret: 'a secret of some length' };
  const report = await loadUntil(port, options, () => seen.size === 4 && bare > 10);
  expect(report.failed).toBe(0);
  for (const [user, cookies] of seen) expect([...cookies]).toEqual([`sid=${user}`]);
});

test('in a process of its own it sends at its rate, reports progress, and keeps the secret out of its arguments', async () => {
  let users = 0;
  const port = await listen((req, res) => {
    if (userOf(req.headers.authorization, 'a secret of some length') !== '') users += 1;
    res.setHeader('x-app-version', 'v1').end();
  });
  const load = await spawnLoad(
    withDefaults({
      target: { host: '127.0.0.1', port },
      mix: [{ ...get, auth: true }],
      rate: 100,
      jwtSecret: 'a secret of some length',
    }),
  );
  expect(readFileSync(`/proc/${load.pid}/cmdline`, 'utf8')).not.toContain('a secret');
  await waitFor(() => (load.progress()?.requests ?? 0) > 50, { what: 'progress' });
  const report = await load.stop();
  expect(report.failed).toBe(0);
  expect(report.requests).toBe(users);
  expect(report.byVersion['v1']?.requests).toBe(users);
  expect(report.lateness.requests).toBe(users);
});

test('in a process of its own it ends with its parent, even one that is killed', async () => {
  const port = await listen((_req, res) => res.end());
  const options = withDefaults({ target: { host: '127.0.0.1', port }, mix: [get] });
  const script = `import { spawnLoad } from ${JSON.stringify(import.meta.resolve('../support/load/spawn-load.ts'))};
    console.log((await spawnLoad(${JSON.stringify(options)})).pid);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(String(line));
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill('SIGKILL');
  await waitFor(() => !existsSync(`/proc/${pid}`), { what: 'the load to end' });
});

/** The user whom a token names, if its signature is right. */
function userOf(authorization: string | undefined, secret: string): string {
  const [header, claims = '', signature] = (authorization ?? '').replace('Bearer ', '').split('.');
  const expected = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url');
  if (signature !== expected) return '';
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub;
}

function cutShort(res: ServerResponse, headers: Record<string, number>): void {
  res.writeHead(200, headers);
  res.write('only this', () => res.socket?.end());
}
