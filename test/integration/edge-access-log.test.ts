import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LineWriter } from '../../src/edge/access-log/line-writer.ts';
import type { EdgeHarness } from '../support/edge-harness.ts';
import { open } from '../support/edge-client.ts';
import { basic, from, guarded, policy, quickHash } from '../support/edge-policy.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const all = { sample: 1, slowMs: 60_000, query: false };

const fileOf = (edge: EdgeHarness): string => join(edge.home, 'logs', 'access', 'test', 'production.log');

/** The lines, once there are so many. */
async function lines(edge: EdgeHarness, count: number): Promise<Record<string, unknown>[]> {
  const read = () =>
    existsSync(fileOf(edge))
      ? readFileSync(fileOf(edge), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>)
      : [];
  await waitFor(() => read().length >= count, { what: `${count} lines in the access log` });
  return read();
}

describe('the access log', () => {
  test('says who asked what and how it went, and nothing that is secret', async () => {
    const users = [{ name: 'anna', hash: await quickHash('pa55word') }];
    const { edge, api, ask, port } = await guarded(
      [{}, { path: '/in', policy: policy({ basicAuth: { realm: 'x', users, passOn: true } }) }],
      { accessLog: all },
      (req, res) => {
        if (req.url === '/bad') res.statusCode = 500;
        if (req.url === '/cut') {
          res.writeHead(200, { 'content-length': '100' });
          res.write('half');
          setImmediate(() => res.destroy());
        } else res.end('hello');
      },
    );
    await ask('/a/b?token=t0psecret', { ...from('192.0.2.7'), cookie: 'sid=c00kie' });
    await ask('/in', basic('anna', 'pa55word'));
    await ask('/in');
    await ask('/bad');
    await ask('/cut').catch(() => undefined);
    const leaver = open(port);
    leaver.socket.destroy();
    const seen = await lines(edge, 5);
    expect(seen[0]).toMatchObject({
      client: '192.0.2.7',
      method: 'GET',
      host: 'shop.example',
      path: '/a/b',
      status: 200,
      bytes: 5,
      service: 'api',
      release: 'api@1',
      instance: `api@1-${api.port}`,
      retries: 0,
    });
    expect(Number(seen[0]?.['ms'])).toBeGreaterThanOrEqual(Number(seen[0]?.['firstByteMs']));
    expect(Date.parse(String(seen[0]?.['at']))).toBeGreaterThan(0);
    expect(seen.slice(1)).toMatchObject([
      { path: '/in', status: 200, user: 'anna' },
      { path: '/in', status: 401, refusedBy: 'password', service: 'api', release: null, bytes: 51 },
      { path: '/bad', status: 500 },
      { path: '/cut', status: 200, end: 'broken' },
    ]);
    const text = readFileSync(fileOf(edge), 'utf8');
    for (const secret of ['t0psecret', 'c00kie', 'pa55word', Buffer.from('anna:pa55word').toString('base64')])
      expect(text).not.toContain(secret);
    expect(statSync(fileOf(edge)).mode & 0o077).toBe(0);
  });

  test('is a sample, in which failures and what was slow are never missing', async () => {
    const slow = { sample: 0, slowMs: 300, query: true };
    const { edge, ask } = await guarded([{}], { accessLog: slow }, (req, res) => {
      if (req.url?.startsWith('/bad') === true) res.statusCode = 503;
      setTimeout(() => res.end('x'), req.url === '/slow' ? 400 : 0);
    });
    for (let i = 0; i < 20; i++) await ask('/fine');
    await ask('/bad?page=2&key=k');
    await ask('/slow');
    const seen = await lines(edge, 2);
    // The machine may be slow as well; then it says so.
    expect(seen.filter(({ path, ms }) => path === '/fine' && Number(ms) < 300)).toEqual([]);
    const bad = seen.find(({ path }) => path === '/bad');
    expect(bad).toMatchObject({ status: 503, query: 'page=2&key=[redacted]' });
    expect(seen.some(({ path }) => path === '/slow')).toBe(true);
  });

  test('names the trace that the service is told of: the one that came, or a new one', async () => {
    const { edge, api, ask } = await guarded([{}], { accessLog: all });
    const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    await ask('/', { traceparent: parent, tracestate: 'a=1' });
    await ask('/', { traceparent: 'nonsense', tracestate: 'a=1' });
    await ask('/');
    const [kept, wrong, none] = api.requests.map(({ headers: { traceparent, tracestate } }) => ({
      traceparent,
      tracestate,
    }));
    expect(kept).toEqual({ traceparent: parent, tracestate: 'a=1' });
    for (const made of [wrong, none]) {
      expect(made?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(made?.tracestate).toBe(undefined);
    }
    const told = (await lines(edge, 3)).map(({ trace }) => trace);
    expect(told).toEqual([kept, wrong, none].map((each) => String(each?.traceparent).split('-')[1]));
  });

  test('survives an edge that is replaced, and a folder that is removed', async () => {
    const { edge, ask } = await guarded([{}], { accessLog: all });
    await ask('/before');
    const [first] = [...edge.edges];
    if (first === undefined) throw new Error('no edge');
    await edge.handOver(first);
    await first.exited;
    await ask('/after');
    expect((await lines(edge, 2)).map(({ path }) => path)).toEqual(['/before', '/after']);
    rmSync(join(edge.home, 'logs'), { recursive: true });
    await ask('/anew');
    expect((await lines(edge, 1)).map(({ path }) => path)).toEqual(['/anew']);
  });
});

describe('its writer', () => {
  const told: string[] = [];
  const writer = (file: string, most?: { waiting: number; kept: number }): LineWriter =>
    new LineWriter(file, (_level, message) => void told.push(message), most);

  test('drops what it cannot keep, and says later how much', async () => {
    const file = join(tempDir('log'), 'deep', 'access.log');
    const one = writer(file, { waiting: 20, kept: 1e6 });
    for (let i = 0; i < 10; i++) one.write(`line ${i}`);
    await one.flush();
    one.write('more');
    await one.flush();
    const [a, b, c, d, ...rest] = readFileSync(file, 'utf8').trim().split('\n');
    expect([a, b, c]).toEqual(['line 0', 'line 1', 'line 2']);
    expect(JSON.parse(d ?? '')).toMatchObject({ dropped: 7 });
    expect(rest).toEqual(['more']);
  });

  test('goes on when the disk cannot be written, and again when it can', async () => {
    const folder = tempDir('log');
    const blocked = join(folder, 'in-the-way');
    writeFileSync(blocked, 'a file');
    const one = writer(join(blocked, 'access.log'));
    one.write('lost');
    await one.flush();
    one.write('lost too');
    await one.flush();
    expect(told.filter((message) => message.includes('access log'))).toHaveLength(1);
    rmSync(blocked);
    one.write('kept');
    await one.flush();
    const [said, kept] = readFileSync(join(blocked, 'access.log'), 'utf8').trim().split('\n').toReversed();
    expect(JSON.parse(said ?? '')).toMatchObject({ dropped: 2 });
    expect(kept).toBe('kept');
  });

  test('does not fill a disk that nobody looks after', async () => {
    const folder = tempDir('log');
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
    const file = join(folder, 'access.log');
    writeFileSync(file, 'x'.repeat(100_000));
    const one = writer(file, { waiting: 1000, kept: 50_000 });
    one.write('too much');
    await one.flush();
    expect(statSync(file).size).toBe(100_000);
  });
});
