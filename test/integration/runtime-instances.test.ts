import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  utimesSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PORT_RANGE, portPromises } from '../../src/drivers/runtime/process/ports.ts';
import { cgroupParents } from '../../src/platform/process/cgroup.ts';
import { instanceBench, NO_CGROUPS } from '../support/runtime-bench.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

test('gives an instance what it needs of the environment and nothing else', async () => {
  process.env['SECRET_OF_EVENKEEL'] = 'must stay here';
  onTestFinished(() => void delete process.env['SECRET_OF_EVENKEEL']);
  const bench = instanceBench();
  await bench.runtime.start(bench.spec({ command: 'env', env: { API_KEY: 'k', LANG: 'C' }, port: 25_001 }));
  await bench.ended();
  const env = Object.fromEntries(
    bench
      .output()
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
  expect(
    Object.keys(env)
      .filter((name) => !['LC_ALL', 'TZ', '_'].includes(name))
      .toSorted(),
  ).toEqual(
    [
      ...[
        'API_KEY',
        'EVENKEEL_ENVIRONMENT',
        'EVENKEEL_FOLDER',
        'EVENKEEL_INSTANCE',
        'EVENKEEL_PROJECT',
        'EVENKEEL_RELEASE',
      ],
      ...['EVENKEEL_SERVICE', 'HOME', 'HOST', 'LANG', 'LOGNAME', 'PATH', 'PORT', 'PWD', 'TMPDIR', 'USER'],
    ].toSorted(),
  );
  expect(env).toMatchObject({
    PORT: '25001',
    HOST: '127.0.0.1',
    LANG: 'C',
    EVENKEEL_RELEASE: 'api@42',
    PATH: process.env['PATH'],
  });
});

test('writes no value of the environment to the disk and shows none in arguments', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec({ env: { TOKEN: 'hush-hush-value' } }));
  const { pid } = await bench.seen();
  for (const file of filesBelow(bench.home)) expect(readFileSync(file, 'latin1'), file).not.toContain('hush-hush');
  for (const each of bench.processes()) expect(readFileSync(`/proc/${each}/cmdline`, 'utf8')).not.toContain('hush');
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('hush-hush-value');
});

test('tells a value no program can be given by the name of the variable only', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec({ env: { TOKEN: 'hush\0hush' } }));
  const { end } = await bench.ended();
  expect(end).toMatchObject({ kind: 'start-failed', detail: expect.stringContaining('TOKEN') });
  expect(JSON.stringify(end) + bench.output()).not.toContain('hush');
});

test('hears Ctrl-C signals like any program, although its shell runs it in the background', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec({ command: 'grep -E "SigIgn|SigBlk" /proc/self/status' }));
  await bench.ended();
  expect(bench.output().match(/[0-9a-f]{16}/g)).toEqual(['0'.repeat(16), '0'.repeat(16)]);
});

test('a program that drains after SIGTERM is given the time, and its own exit code is told', async () => {
  const bench = instanceBench();
  const script = `process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(7) }, 300)); setInterval(() => {}, 1000); console.log('up')`;
  writeFileSync(join(bench.artifact, 'main.js'), script);
  const spec = bench.spec({ command: `${process.execPath} main.js` });
  await bench.runtime.start(spec);
  await waitFor(() => bench.output().includes('up'), { what: 'its start' });
  await bench.runtime.stop(spec.id, { graceMs: 30_000, reason: 'test' });
  expect(await bench.ended()).toMatchObject({ end: { kind: 'exit', code: 7 }, stopRequested: true });
  expect(bench.output()).toContain('drained');
});

test('works in a copy of the artifact: modes, links and times as they were, the artifact untouched', async () => {
  const bench = instanceBench();
  const at = (...parts: string[]) => join(bench.artifact, ...parts);
  mkdirSync(at('app', 'node_modules', 'dep'), { recursive: true });
  mkdirSync(at('app', 'node_modules', '.cache'));
  mkdirSync(at('app', 'sealed'));
  writeFileSync(at('app', 'sealed', 'file'), 'x');
  chmodSync(at('app', 'sealed'), 0o555);
  onTestFinished(() => chmodSync(at('app', 'sealed'), 0o755));
  writeFileSync(
    at('app', 'run.sh'),
    '#!/bin/sh\necho ran; echo changed > state; echo more >> node_modules/.cache/c; echo done',
  );
  chmodSync(at('app', 'run.sh'), 0o750);
  writeFileSync(at('app', 'state'), 'original');
  writeFileSync(at('app', 'node_modules', 'dep', 'index.js'), 'x', { mode: 0o444 });
  writeFileSync(at('app', 'node_modules', '.cache', 'c'), 'cached');
  symlinkSync('run.sh', at('app', 'current'));
  await bench.runtime.start(bench.spec({ dir: 'app', command: './current' }));
  expect((await bench.ended()).end).toEqual({ kind: 'exit', code: 0 });
  expect(bench.output()).toBe('ran\ndone\n');
  expect(readFileSync(at('app', 'state'), 'utf8')).toBe('original');
  expect(readFileSync(at('app', 'node_modules', '.cache', 'c'), 'utf8')).toBe('cached');

  const work = join(bench.home, 'instances', readdirSync(join(bench.home, 'instances'))[0] ?? '', 'work', 'app');
  expect(statSync(join(work, 'run.sh')).mode & 0o777).toBe(0o750);
  expect(statSync(join(work, 'sealed')).mode & 0o777).toBe(0o555);
  const age = statSync(join(work, 'run.sh')).mtimeMs - statSync(at('app', 'run.sh')).mtimeMs;
  expect(Math.abs(age)).toBeLessThan(2); // to the millisecond, the same for every copy
  expect(readlinkSync(join(work, 'current'))).toBe('run.sh');
  const linked = (...parts: string[]) => statSync(join(work, ...parts)).ino === statSync(at('app', ...parts)).ino;
  // Root could write to it through any of its names.
  expect(linked('node_modules', 'dep', 'index.js')).toBe(process.getuid?.() !== 0);
  expect(linked('node_modules', '.cache', 'c')).toBe(false);
  expect(linked('run.sh')).toBe(false);
});

test('releases share their data folders, and removing an instance leaves the data alone', async () => {
  const bench = instanceBench();
  const target = join(bench.home, 'shared', 'storage');
  const data = [{ path: 'var/storage', target }];
  mkdirSync(join(bench.artifact, 'var', 'storage'), { recursive: true });
  writeFileSync(join(bench.artifact, 'var', 'storage', 'seed'), 'of the release');
  const first = bench.spec({ command: 'echo kept > var/storage/message', data });
  await bench.runtime.start(first);
  await bench.ended();
  await bench.runtime.remove(first.id);
  expect(lstatSync(target).mode & 0o777).toBe(0o700);
  const second = bench.spec({
    id: 'chat.production.api@43.0.0',
    command: 'cat var/storage/message; ls var/storage',
    data,
  });
  await bench.runtime.start(second);
  await bench.ended();
  expect(bench.output()).toBe('kept\nmessage\n');
});

test.each([
  ['a missing artifact', { artifact: '/no/such/artifact' }, '/no/such/artifact does not exist'],
  ['a missing folder', { dir: 'no/such' }, 'no folder "no/such"'],
  ['a folder outside', { dir: '../..' }, 'no folder "../.."'],
  ['a data folder outside', { data: [{ path: '../../etc', target: '/tmp' }] }, 'outside'],
  ['a data folder that leads outside', { data: [{ path: 'away/x', target: '/tmp' }] }, 'outside'],
  ['a target that is a file', { data: [{ path: 'x', target: '/dev/null/y' }] }, 'ENOTDIR'],
])('%s is a failed start with a reason, once and for all', async (_, change, detail) => {
  const bench = instanceBench();
  symlinkSync('/tmp', join(bench.artifact, 'away'));
  const spec = bench.spec(change);
  await bench.runtime.start(spec);
  const seen = await bench.seen();
  expect(seen).toMatchObject({
    state: 'ended',
    end: { kind: 'start-failed', detail: expect.stringContaining(detail) },
  });
  expect(bench.output()).toContain(detail);
  await bench.runtime.start(spec);
  expect(await bench.seen()).toEqual(seen);
});

test('leaves nothing behind but the log when it is removed', async () => {
  const bench = instanceBench();
  const spec = bench.spec({ command: 'echo bye > $TMPDIR/file; echo ended', port: await bench.runtime.allocatePort() });
  await bench.runtime.start(spec);
  await bench.ended();
  await bench.runtime.remove(spec.id);
  expect(filesBelow(bench.home)).toEqual([bench.log]);
});

test('keeps what it writes from other users', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec());
  for (const file of filesBelow(join(bench.home, 'instances')))
    expect(statSync(file).mode & 0o077 & ~0o044, file).toBe(0);
  expect(statSync(join(bench.home, 'instances')).mode & 0o777).toBe(0o700);
  expect(statSync(bench.log).mode & 0o777).toBe(0o600);
});

const limited = cgroupParents().folders.memory !== undefined;

test.runIf(limited)('a memory limit holds, and what broke it is said to have run out of memory', async () => {
  const bench = instanceBench();
  const hog = `${process.execPath} -e "const all = []; for (;;) all.push(Buffer.alloc(4e6, 1))"`;
  await bench.runtime.start(bench.spec({ command: hog, resources: { memory: 96 * 1024 * 1024, cpu: null } }));
  expect(await bench.ended()).toMatchObject({ end: { kind: 'out-of-memory' }, limits: { memory: true, why: null } });
});

test.runIf(limited)('also when the one that is killed is a child, and its parent gives up by itself', async () => {
  const bench = instanceBench();
  const hog = `${process.execPath} -e 'const all = []; for (;;) all.push(Buffer.alloc(4e6, 1))' || exit 1`;
  await bench.runtime.start(bench.spec({ command: hog, resources: { memory: 96 * 1024 * 1024, cpu: null } }));
  expect((await bench.ended()).end).toEqual({ kind: 'out-of-memory' });
});

test.runIf(limited)('a CPU limit holds: a fifth of a core does a fifth of the work', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec({ command: 'while :; do :; done', resources: { memory: null, cpu: 0.2 } }));
  const used = async () => (await bench.seen()).usage?.cpuMs ?? 0;
  await waitFor(async () => (await used()) > 100, { what: 'some work' });
  const [from, before] = [performance.now(), await used()];
  await waitFor(async () => (await used()) > before + 300, { what: 'more work' });
  // Usage is up to two seconds old, so this is far from exact; without the limit the share would be near 1.
  expect((await used()) - before).toBeLessThan((performance.now() - from + 3_000) * 0.3);
});

test('says that limits do not hold where they cannot, in the observation and in the log', async () => {
  const bench = instanceBench({ cgroups: NO_CGROUPS });
  await bench.runtime.start(bench.spec({ resources: { memory: 1e8, cpu: null } }));
  expect((await bench.seen()).limits).toEqual({ memory: false, cpu: true, why: 'switched off for this test' });
  expect(bench.output()).toContain('not all limits are enforced: switched off for this test');
});

test('promises no port that somebody listens on, and gives one back when its instance is removed', async () => {
  const folder = tempDir();
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  await expect(portPromises(folder, { range: { first: port, last: port } }).allocate()).rejects.toMatchObject({
    code: 'no-free-port',
    retryable: true,
  });
  server.close();

  const ports = portPromises(folder, { range: { first: port, last: port } });
  await waitFor(async () => (await ports.allocate()) === port, { what: 'the port to be free' });
  await expect(ports.allocate()).rejects.toMatchObject({ code: 'no-free-port' });
  ports.bind(port, 'first');
  ports.bind(port, 'its next generation');
  ports.release(port, 'first');
  await expect(ports.allocate()).rejects.toMatchObject({ code: 'no-free-port' });
  ports.release(port, 'its next generation');
  expect(await ports.allocate()).toBe(port);
});

test('a promise of a port leaves no file behind when it lapses', async () => {
  const folder = tempDir();
  const before = portPromises(folder);
  const [bound, lost, lapsed, young] = await Promise.all([1, 2, 3, 4].map(() => before.allocate()));
  before.bind(bound!, 'running');
  before.bind(lost!, 'gone');
  const longAgo = new Date(Date.now() - 2 * 60 * 60_000);
  utimesSync(join(folder, String(lapsed)), longAgo, longAgo);
  const next = await portPromises(folder, { isKnown: (id) => id === 'running' }).allocate();
  expect(new Set(readdirSync(folder).map(Number))).toEqual(new Set([bound, young, next]));
});

test('takes ports of its documented range', async () => {
  const port = await portPromises(tempDir()).allocate();
  expect(port).toBeGreaterThanOrEqual(PORT_RANGE.first);
  expect(port).toBeLessThanOrEqual(PORT_RANGE.last);
});

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
