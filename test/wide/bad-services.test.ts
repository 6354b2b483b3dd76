import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ServiceStatus } from '../../src/api/contract/status.ts';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { isGone, processesIn } from '../support/bad/processes.ts';
import { sharedSystem, told, up } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
beforeAll(() => {
  // What is young is not called slow; here nothing gets old.
  system.env['EVENKEEL_EDGE_YOUNG_MS'] = '0';
});

async function seen(project: string, service = 'api'): Promise<ServiceStatus> {
  const found = (await system.status()).environments
    .find((each) => each.project === project)
    ?.services.find((each) => each.service === service);
  if (found === undefined) throw new Error(`${project} has no ${service}`);
  return found;
}

const onlyInstancesOf = (shop: Folder, release: string): Promise<unknown> =>
  waitFor(async () => (await seen(shop.project)).instances.every((each) => each.release === release), {
    what: `only ${release} to run`,
    timeout: 20_000,
  });

describe('a service', () => {
  test('that never becomes healthy is taken back at its deadline, and the former one serves on', async () => {
    const shop = await folder({
      name: 'sick',
      service: ['health: { path: /health, interval: 100ms, grace: 100ms, deadline: 2s }'],
    });
    await up(system, shop);
    shop.program(
      app(
        'v2',
        'health = (request, response) => { response.statusCode = 503; response.end(); }; console.log("as sick as can be");',
      ),
    );
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/api@2 is not healthy.*503/s);
    expect(told(refused)).toContain('api@1 has all traffic');
    expect(told(refused)).toContain('evenkeel rollouts show');
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    await onlyInstancesOf(shop, 'api@1');
    // It is gone, and what it said is still there to be asked for.
    const logs = await system.cli(['logs', 'api', '--release', 'api@2'], { cwd: shop.root });
    expect(logs.stdout, told(logs)).toContain('as sick as can be');
  });

  test('that never listens is taken back as well, first of all or not', async () => {
    const shop = await folder({
      name: 'deaf',
      service: ['health: { path: /health, interval: 100ms, grace: 100ms, deadline: 2s }'],
      files: { 'main.js': 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(0));' },
    });
    const refused = await system.cli(['up'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/api@1 is not healthy/);
    expect(told(refused)).toMatch(/does it listen on \$PORT/);
    await waitFor(async () => (await seen('deaf')).instances.length === 0, { what: 'it to be gone' });
  });

  test('whose command does not exist says so, in the words of the shell', async () => {
    const shop = await folder({ name: 'typo' });
    await up(system, shop);
    const file = readFileSync(join(shop.root, 'evenkeel.yaml'), 'utf8');
    shop.write({ 'evenkeel.yaml': file.replace('run: node main.js', 'run: nodde main.js') });
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toContain('exit code 127');
    expect(told(refused)).toMatch(/nodde.*not found/);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    await onlyInstancesOf(shop, 'api@1');
  });

  test('that ends as soon as it starts says its last words', async () => {
    const shop = await folder({ name: 'short', files: { 'main.js': 'throw new Error("DATABASE_URL is not set")' } });
    const refused = await system.cli(['up'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/ended 4 times in a row: exit code 1.*DATABASE_URL is not set/s);
    await waitFor(async () => (await seen('short')).instances.length === 0, { what: 'it to be gone' });
  });

  test('that crashes now and then is started again, and status tells how it ended', async () => {
    const shop = await folder({ name: 'crasher' });
    shop.program(app('v1', 'answer = (q, r) => (q.url === "/crash" ? process.exit(9) : r.end("well"));'));
    await up(system, shop);
    const before = (await seen('crasher')).instances[0];
    // Nobody asks twice what may not be asked twice, so it crashes once.
    expect(await visit(shop.port, '/crash', 'POST')).toMatchObject({ status: 502 });
    const after = await waitFor(
      async () => {
        const [only] = (await seen('crasher')).instances;
        return only !== undefined && only.id !== before?.id && only.healthy === true ? only : null;
      },
      { what: 'another instance to be healthy', timeout: 20_000 },
    );
    expect(after).toMatchObject({ restarts: 1, lastEnd: 'exit code 9' });
    expect(isGone(before?.pid ?? 0)).toBe(true);
    expect(await visit(shop.port)).toMatchObject({ status: 200, body: 'well' });
    const status = await system.cli(['status'], { cwd: shop.root });
    expect(status.stdout).toMatch(/exit code 9/);
    // Nor does a kill -9 leave anything but a restart behind.
    process.kill(after.pid ?? 0, 'SIGKILL');
    await waitFor(async () => (await seen('crasher')).instances[0]?.lastEnd === 'signal SIGKILL', {
      what: 'the next one',
      timeout: 20_000,
    });
    await waitFor(async () => (await visit(shop.port)).status === 200, { what: 'it to answer', timeout: 20_000 });
  });

  test('that crashes again and again, with nothing to go back to, is started less and less often until it is well', async () => {
    const shop = await folder({ name: 'looper' });
    const flag = join(tempDir('flag'), 'now');
    shop.program(
      app(
        'v1',
        `const die = () => { if (require('node:fs').existsSync(${JSON.stringify(flag)})) process.exit(9); };
      setInterval(die, 20);`,
      ),
    );
    await up(system, shop);
    writeFileSync(flag, '');
    await waitFor(async () => ((await seen('looper')).instances[0]?.restarts ?? 0) >= 3, {
      what: 'some restarts',
      timeout: 20_000,
    });
    const status = await waitFor(
      async () => {
        const said = await system.cli(['status'], { cwd: shop.root });
        return /degraded|down/.test(said.stdout) && said;
      },
      { what: 'status to tell', timeout: 20_000 },
    );
    expect(told(status)).toMatch(/no instance runs|0 of 1 healthy/);
    expect(told(status)).toContain('exit code 9');
    rmSync(flag);
    await waitFor(async () => (await visit(shop.port)).status === 200, { what: 'it to be well', timeout: 30_000 });
  });

  test('that crashes in its canary is taken back', async () => {
    const shop = await folder({ name: 'canary-crash', rollout: ['canary: [{ weight: 50, for: 10m }]'] });
    await up(system, shop);
    const load = visitors(shop.port);
    shop.program(app('v2', 'let n = 0; answer = (q, r) => { if (++n > 3) process.exit(9); r.end(); };'));
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    await load.stop();
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/taken back \(failed\); api@1 has all traffic/);
    await onlyInstancesOf(shop, 'api@1');
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
  });

  test('that crashes after its promotion is taken back by itself, while the former one is hot', async () => {
    const shop = await folder({ name: 'late-crash' });
    await up(system, shop);
    const flag = join(tempDir('flag'), 'now');
    shop.program(
      app(
        'v2',
        `const die = () => { if (require('node:fs').existsSync(${JSON.stringify(flag)})) process.exit(9); };
      setInterval(die, 20);`,
      ),
    );
    await up(system, shop);
    expect(await visit(shop.port)).toMatchObject({ version: 'v2' });
    writeFileSync(flag, '');
    await waitFor(async () => (await visit(shop.port)).version === 'v1', { what: 'the former one', timeout: 30_000 });
    await onlyInstancesOf(shop, 'api@1');
    const { rollouts } = await system.get<{ rollouts: { end: string; reason: string }[] }>(
      '/api/v1/rollouts?project=late-crash&limit=1',
    );
    expect(rollouts[0]).toMatchObject({
      end: 'rolled-back',
      reason: expect.stringMatching(/^api@2.*(It lost its last healthy instance|rollback window)/),
    });
  });

  test('that answers slowly is taken back from its canary for that alone', async () => {
    const shop = await folder({
      name: 'slow',
      rollout: ['canary: [{ weight: 50, for: 10m }]', 'analysis: { p95: "< 100ms" }'],
    });
    await up(system, shop);
    const load = visitors(shop.port, { several: 8 });
    // The baseline's quantiles are those of replies that were seen.
    await waitFor(() => load.seen.total > 200, { what: 'a baseline' });
    shop.program(app('v2', 'answer = (q, r) => setTimeout(() => r.end("v2"), 250);'));
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    const visits = await load.stop();
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/p95/);
    expect([...visits.statuses.keys()]).toEqual([200]);
    await onlyInstancesOf(shop, 'api@1');
  });

  test('that ignores SIGTERM and forks children is gone after its grace, with all of them', async () => {
    const shop = await folder({ name: 'stubborn', service: ['stopGrace: 1s'] });
    const marks = tempDir('marks');
    shop.program(
      app(
        'v1',
        `
const { spawn } = require('node:child_process');
const { writeFileSync } = require('node:fs');
onTerm = () => {};
const child = "process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {}); setInterval(() => {}, 1000);";
const pids = [1, 2, 3].map(() => spawn(process.execPath, ['-e', child], { stdio: 'ignore' }).pid);
const parent = "require('child_process').spawn(process.execPath, ['-e', " + JSON.stringify(child) + "], { stdio: 'ignore' }).unref();";
spawn(process.execPath, ['-e', parent], { stdio: 'ignore' });
writeFileSync(${JSON.stringify(marks)} + '/pids', JSON.stringify(pids));
`,
      ),
    );
    await up(system, shop);
    const pids = JSON.parse(readFileSync(join(marks, 'pids'), 'utf8')) as number[];
    const copy = join(system.paths.instances);
    const mine = await waitFor(
      () => {
        const all = processesIn(copy).filter(({ pid }) =>
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes('stubborn'),
        );
        return all.length >= 5 ? all : null;
      },
      { what: 'the service, three children and a grandchild' },
    );
    expect(mine.map(({ pid }) => pid)).toEqual(expect.arrayContaining(pids));
    const down = await system.cli(['down', '--yes'], { cwd: shop.root });
    expect(down.code, told(down)).toBe(0);
    await waitFor(() => mine.every(({ pid }) => isGone(pid)), { what: 'all of them to be gone' });
    expect(await visit(shop.port)).toMatchObject({ status: 0 });
  });

  test('that floods its log fills no disk, and the others and evenkeel itself are not disturbed', async () => {
    const shop = await folder({
      name: 'flood',
      services:
        '  quiet:\n    run: node main.js\n    routes: [/quiet]\n    health: { path: /health, interval: 100ms }\n    env: { QUIET: "1" }\n',
    });
    shop.program(
      app(
        'v1',
        `
const line = 'x'.repeat(1023) + '\\n';
let left = 120 * 1024;
const chunk = line.repeat(256);
const more = () => { while (left > 0) { left -= 256; if (!process.stdout.write(chunk)) return process.stdout.once('drain', more); } console.log('end of the flood'); };
if (process.env.QUIET) console.log('quiet as ever'); else more();
`,
      ),
    );
    await up(system, shop);
    const [instance] = (await seen('flood')).instances;
    await waitFor(
      async () =>
        (await system.cli(['logs', 'api', '-n', '1'], { cwd: shop.root })).stdout.includes('end of the flood'),
      {
        what: 'the end of the flood',
        timeout: 40_000,
        interval: 250,
      },
    );
    expect(await visit(shop.port)).toMatchObject({ status: 200 });
    await waitFor(
      () => {
        const files = filesOf(system.paths.logs, instance?.id ?? '?');
        const bytes = files.reduce((sum, each) => sum + each.bytes, 0);
        if (bytes >= 80 << 20) throw new Error(JSON.stringify(files));
        return true;
      },
      { what: 'the log to be bounded', timeout: 20_000 },
    );
    const quiet = await system.cli(['logs', 'quiet'], { cwd: shop.root });
    expect(quiet.stdout).toContain('quiet as ever');
    const status = await system.cli(['status'], { cwd: shop.root });
    expect(status.code, told(status)).toBe(0);
    const grep = await system.cli(['logs', 'api', '--grep', 'end of'], { cwd: shop.root });
    expect(grep.stdout).toContain('end of the flood');
  });
});

/** Files whose path names `mark`, with the bytes that they take on the disk. */
function filesOf(folderPath: string, mark: string): { path: string; bytes: number }[] {
  return readdirSync(folderPath, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes(mark))
    .map((path) => ({ path, bytes: (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512 }));
}
