import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { processBuilder } from '../../src/drivers/build/process-builder.ts';
import { firstNumber, guestFor, whyNoGuests } from '../../src/drivers/runtime/process/guests.ts';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import type { InstanceSpec } from '../../src/ports/runtime.ts';
import { aProject, aRequest, aService, build } from '../support/build-fixture.ts';
import { instanceBench, NO_GUARD, scope } from '../support/runtime-bench.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const why = process.getuid?.() === 0 ? await whyNoGuests() : 'this is not root';
if (why !== null) console.warn(`skipped, programs cannot be started as other users here: ${why}`);

const runAs = { user: 'dynamic', service: 'api' };

const ownerOf = (path: string): number => statSync(path).uid;

/** What a program says of itself, as `name: value` lines in its log. */
async function told(bench: ReturnType<typeof instanceBench>, change: Partial<InstanceSpec>): Promise<string> {
  await bench.runtime.start(bench.spec({ runAs, ...change }));
  const seen = await bench.ended();
  expect(seen.end, bench.output()).toMatchObject({ kind: 'exit' });
  return bench.output();
}

describe.skipIf(why !== null)('an instance with a user of its own', { timeout: 120_000 }, () => {
  test('has no rights, keeps none of root, and owns its folders', async () => {
    const bench = instanceBench();
    writeFileSync(join(bench.artifact, 'main.js'), 'console.log("ran", process.cwd())');
    mkdirSync(join(bench.artifact, 'sub'));
    const data = join(bench.home, 'projects', 'kept');
    const output = await told(bench, {
      data: [{ path: 'kept', target: data }],
      env: { LD_LIBRARY_PATH: '/nowhere', GREETING: 'hello' },
      command:
        'id -u; id -G; grep -E "^(Cap|NoNewPrivs)" /proc/self/status; echo x > sub/y && echo z > kept/z && echo t > $TMPDIR/t && echo wrote; echo $LD_LIBRARY_PATH $GREETING $HOME; env | grep -c EVENKEEL_GUEST; node main.js; echo again >> /dev/stderr',
    });
    expect(output).toContain(`${firstNumber(bench.home)}\n${firstNumber(bench.home)}\n`);
    expect(output.match(/^Cap\w+:\t0000000000000000$/gm)).toHaveLength(5);
    expect(output).toMatch(/^NoNewPrivs:\t1$/m);
    expect(output).toContain('wrote\n/nowhere hello /');
    expect(output).toMatch(/^0$/m);
    expect(output).toContain(`ran ${join(bench.home, 'instances')}`);
    expect(output).toContain('again');
    expect(ownerOf(join(data, 'z'))).toBe(firstNumber(bench.home));
  });

  test('sees nothing of the home but what belongs to it', async () => {
    const bench = instanceBench();
    // Also what somebody left open by mistake.
    for (const name of ['token', 'secrets.json', 'state.db'])
      writeFileSync(join(bench.home, name), 'planted', { mode: 0o644 });
    chmodSync(bench.home, 0o700);
    const output = await told(bench, {
      command: `ls -a ${bench.home}; cat ${bench.home}/* ${bench.home}/*/* ; ls ${bench.home}/logs; cat /proc/${process.pid}/environ; cat /dev/stdout; kill -0 ${process.pid} && echo reached; mount --bind / /mnt && echo mounted; chmod 777 ${bench.home} && echo opened; echo end`,
    });
    expect(output).not.toContain('planted');
    expect(output).not.toMatch(/token|secrets|state\.db|reached|mounted|opened|artifact$/m);
    expect(output).toMatch(/^end$/m);
    expect(statSync(bench.home).mode & 0o777).toBe(0o700);
    // Nothing that was mounted for it is left.
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(bench.home);
  });

  test('is another one than that of a service beside it, and neither can read or end the other', async () => {
    const bench = instanceBench();
    const log = (name: string): string => join(bench.home, 'logs', `${name}.log`);
    const id = (service: string): string => `chat.production.${service}@1.0.0`;
    const start = (service: string, command: string): Promise<void> =>
      bench.runtime.start(
        bench.spec({
          id: id(service),
          service,
          release: `${service}@1`,
          runAs: { user: 'dynamic', service },
          env: { KEY: `secret of ${service}` },
          command,
          log: log(service),
        }),
      );
    await start('one', 'echo up; exec sleep 600');
    await waitFor(() => existsSync(log('one')) && readFileSync(log('one'), 'utf8').includes('up'), { what: 'it' });
    const one = await waitFor(
      async () => (await bench.runtime.observe(scope)).find((each) => each.service === 'one' && each.pid !== null)?.pid,
      { what: 'the first to run' },
    );
    await start(
      'two',
      `id -u; cat /proc/${one}/environ; kill -9 ${one} && echo ended; cd /proc/${one}/cwd && echo entered; echo end`,
    );
    const text = await waitFor(
      () => (/^end$/m.exec(readFileSync(log('two'), 'utf8')) ? readFileSync(log('two'), 'utf8') : null),
      {
        what: 'the second to end',
        timeout: 30_000,
      },
    );
    expect(text).toContain(String(firstNumber(bench.home) + 1));
    expect(text).not.toMatch(/secret of one|ended|entered/);
    expect(statSync(`/proc/${one}`).uid).toBe(firstNumber(bench.home));
  });

  test('finds its folders where the way to the home is a link, and leads below a closed folder', async () => {
    const real = join(tempDir('real'), 'h');
    mkdirSync(real, { mode: 0o700 });
    const link = join(tempDir('links'), 'home');
    chmodSync(dirname(link), 0o755);
    symlinkSync(real, link);
    const bench = instanceBench({ home: link });
    writeFileSync(join(link, 'token'), 'planted', { mode: 0o644 });
    const data = join(link, 'projects', 'kept');
    const output = await told(bench, {
      data: [{ path: 'kept', target: data }],
      command: `echo x > kept/file && cat ${data}/file && echo kept; cat ${link}/token ${real}/token; ls ${dirname(real)}; echo end`,
    });
    expect(output).toContain('x\nkept\n');
    expect(output).not.toContain('planted');
    expect(output).toMatch(/^end$/m);
  });

  test('keeps its number, and takes over data that was written as root or as somebody else', async () => {
    const bench = instanceBench();
    const data = join(bench.home, 'projects', 'kept');
    mkdirSync(join(data, 'deep'), { recursive: true });
    writeFileSync(join(data, 'deep', 'old'), 'from root', { mode: 0o600 });
    const outside = join(tempDir('outside'), 'file');
    writeFileSync(outside, 'not yours');
    execFileSync('ln', ['-s', outside, join(data, 'link')]);
    const output = await told(bench, {
      data: [{ path: 'kept', target: data }],
      command: 'cat kept/deep/old; echo more >> kept/deep/old && echo changed',
    });
    expect(output).toContain('from root');
    expect(output).toContain('changed');
    expect(ownerOf(join(data, 'deep', 'old'))).toBe(firstNumber(bench.home));
    expect(ownerOf(outside)).toBe(0);
    // A release that still runs as root goes on writing there.
    writeFileSync(join(data, 'late'), 'late', { mode: 0o600 });
    const next = bench.spec({ id: 'chat.production.api@42.0.1', generation: 1, runAs, command: 'cat kept/late' });
    await bench.runtime.start({ ...next, data: [{ path: 'kept', target: data }] });
    await waitFor(() => bench.output().endsWith('late'), { what: 'it to read the file' });
    expect(JSON.parse(readFileSync(join(bench.home, 'guests.json'), 'utf8'))).toMatchObject({
      next: firstNumber(bench.home) + 1,
    });
  });

  test('can be stopped, is ended with all it started, and leaves nothing when it is removed', async () => {
    const bench = instanceBench();
    await bench.runtime.start(
      bench.spec({
        runAs,
        command: 'trap "" TERM; (trap "" TERM; setsid sleep 601) & echo up; while :; do sleep 1; done',
      }),
    );
    await waitFor(() => bench.output().includes('up'), { what: 'it to run' });
    await bench.runtime.stop(bench.spec().id, { graceMs: 300, reason: 'enough' });
    expect(await bench.ended()).toMatchObject({ state: 'ended' });
    await waitFor(() => bench.processes().length === 0, { what: 'the last of them to be gone' });
    await bench.runtime.remove(bench.spec().id);
    expect(readdirSync(join(bench.home, 'instances'))).toEqual([]);
    expect(readdirSync(join(bench.home, 'tmp'))).toEqual([]);
  });

  test.each([
    ['nobody', /^65534$/m],
    ['no-such-user', null],
  ])('may be one of the machine: %s', async (user, expected) => {
    const bench = instanceBench();
    await bench.runtime.start(bench.spec({ runAs: { user, service: 'api' }, command: 'id -u; id -un' }));
    const { end } = await bench.ended();
    if (expected !== null) expect(bench.output()).toMatch(expected);
    else expect(end).toMatchObject({ kind: 'start-failed', detail: expect.stringContaining('no such user') });
  });

  test('has no more processes and open files than it may', async () => {
    const bench = instanceBench();
    const output = await told(bench, {
      resources: { memory: null, cpu: null, processes: 8, openFiles: 64 },
      command:
        'ulimit -n; ulimit -c; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; sleep 0.2; echo end; kill $(jobs -p) 2>/dev/null',
    });
    expect(output).toContain('64\n0\n');
    expect(output).toMatch(/cannot fork|Resource temporarily unavailable|not limited/i);
  });
});

describe.skipIf(why !== null)('a build with a user of its own', { timeout: 120_000 }, () => {
  test('can change nothing but its copy, and its artifact is not its own afterwards', async () => {
    const home = tempDir('home');
    chmodSync(home, 0o700);
    writeFileSync(join(home, 'secrets.json'), 'planted', { mode: 0o644 });
    const builder = processBuilder({ home, jobs: processJobs({ home, guard: NO_GUARD }), pollMs: 20 });
    const root = aProject({ 'a.txt': 'x' });
    const request = aRequest(root, {
      service: aService({
        build: `id -u > made.txt; cat ${home}/secrets.json ${home}/* >> made.txt 2>&1; mkdir -p deep/er; echo y > deep/er/z; echo "$npm_config_cache" > cache.txt; touch $npm_config_cache.x; ls ${home}/cache/of >> made.txt`,
        user: 'dynamic',
      }),
    });
    const end = await build(builder, request);
    if (end.state !== 'done') throw new Error(JSON.stringify(end));
    const made = builder.artifactPath(end.artifact);
    expect(readFileSync(join(made, 'made.txt'), 'utf8')).toMatch(new RegExp(`^${firstNumber(home)}\n`));
    expect(readFileSync(join(made, 'made.txt'), 'utf8')).not.toContain('planted');
    for (const name of ['made.txt', 'deep', 'deep/er/z']) expect(ownerOf(join(made, name))).toBe(0);
    expect(readFileSync(join(made, 'cache.txt'), 'utf8')).toContain(join(home, 'cache', 'of'));
  });
});

describe('where evenkeel is not root', () => {
  test('a user of its own is evenkeel’s own, which is said; any other is refused, and nobody gets more', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    onTestFinished(() => void vi.restoreAllMocks());
    const home = tempDir('home');
    const ask = (user: string) => guestFor(home, scope, { user, service: 'api' });
    expect(await ask('dynamic')).toMatchObject({
      guest: null,
      note: expect.stringContaining('only root can start programs as other users'),
    });
    expect(await ask(userInfo().username)).toEqual({ guest: null, note: null });
    await expect(ask('somebody-else')).rejects.toMatchObject({ code: 'user-refused', retryable: false });
    expect(readdirSync(home)).toEqual([]);
  });
});
