import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import type { LogLine } from '../../src/api/contract/logs.ts';
import { app, folder } from '../support/bad/app.ts';
import { instancesOf, isGone } from '../support/bad/processes.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { json, run, service } from '../support/features/command.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
const CLI = fileURLToPath(new URL('../../bin/evenkeel', import.meta.url));

const talking = (version: string, extra = ''): string =>
  app(
    version,
    `answer = (request, response) => { console.log('${version} was asked for ' + request.url); ${extra} response.end('${version}'); };`,
  );

describe('logs', { timeout: 120_000 }, () => {
  test('are followed, searched, cut by time, and kept of what has crashed', async () => {
    const shop = await folder({
      name: 'talks',
      files: {
        'main.js': talking(
          'v1',
          `if (request.url === '/crash') { console.error('Error: out of luck'); process.exit(7); }`,
        ),
      },
    });
    await run(system, shop.root, ['up']);
    for (const path of ['/one', '/two', '/three']) await visit(shop.port, path);
    const logs = async (...args: string[]): Promise<LogLine[]> =>
      (await run(system, shop.root, ['logs', ...args, '--json'])).stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine);
    await waitFor(async () => (await logs('api')).some((each) => each.line.includes('/three')), { what: 'the log' });
    expect((await logs('api', '--grep', 't(wo|hree)')).map((each) => each.line)).toEqual([
      'v1 was asked for /two',
      'v1 was asked for /three',
    ]);
    expect((await logs('api', '--lines', '1')).map((each) => each.line)).toEqual(['v1 was asked for /three']);
    expect(await logs('api', '--since', '10m')).not.toEqual([]);
    // Programs write no times; evenkeel notes every second or so how far they have come.
    const noted = await waitFor(
      async () => {
        const times = (await logs('api')).map((each) => each.at);
        return times.includes(null) ? null : times;
      },
      { what: 'the time of every line' },
    );
    const between = new Date(Math.max(...noted.map(Number)) + 1).toISOString();
    await visit(shop.port, '/late');
    await waitFor(async () => (await logs('api')).some((each) => each.line.includes('/late')), {
      what: 'the late line',
    });
    expect((await logs('api', '--since', between)).map((each) => each.line)).toEqual(['v1 was asked for /late']);

    const follower = spawn(CLI, ['logs', 'api', '--follow'], { cwd: shop.root, env: system.env, stdio: 'pipe' });
    const left = once(follower, 'exit');
    onTestFinished(() => void follower.kill('SIGKILL'));
    let heard = '';
    follower.stdout.on('data', (chunk) => (heard += String(chunk)));
    await waitFor(() => heard.includes('/late'), { what: 'the follower to show what there is' });
    await visit(shop.port, '/now');
    await waitFor(() => heard.includes('/now'), { what: 'the follower to show what is new' });

    await visit(shop.port, '/crash');
    await waitFor(
      async () =>
        (await service(system, shop.root, 'api')).instances.some(
          (each) => each.restarts === 1 && each.healthy === true,
        ),
      {
        what: 'another instance',
        timeout: 20_000,
      },
    );
    expect((await service(system, shop.root, 'api')).instances).toMatchObject([
      { lastEnd: expect.stringContaining('exit code 7') },
    ]);
    await visit(shop.port, '/after');
    await waitFor(() => heard.includes('out of luck') && heard.includes('/after'), {
      what: 'the follower to go on with the next instance',
    });
    follower.kill('SIGINT');
    await left;
    const all = await logs('api');
    expect(all.map((each) => each.line)).toContain('Error: out of luck');
    expect(new Set(all.map((each) => each.instance)).size).toBe(2);
    const crashed = all.find((each) => each.line === 'Error: out of luck');
    expect((await logs('api', '--instance', crashed?.instance ?? '')).map((each) => each.line)).toContain(
      'v1 was asked for /one',
    );
  });
});

describe('what runs', { timeout: 120_000 }, () => {
  test('is told as it is, goes down, and comes back the same', async () => {
    const shop = await folder({ name: 'ups', service: ['instances: 2'] });
    await run(system, shop.root, ['up', '--wait', 'promoted']);
    const up = await service(system, shop.root, 'api');
    expect(up).toMatchObject({
      release: 'api@1',
      health: 'healthy',
      weights: { 'api@1': 100 },
      urls: [`http://localhost:${shop.port}/`],
      instances: [
        { healthy: true, state: 'running' },
        { healthy: true, state: 'running' },
      ],
    });
    expect(instancesOf(system.paths.home, 'ups', 'api@1')).toEqual(
      expect.arrayContaining(up.instances.map((each) => each.pid)),
    );

    const load = visitors(shop.port);
    const restarted = await run(system, shop.root, ['restart', 'api']);
    expect(restarted.stdout).toContain('api@2');
    expect([...(await load.stop()).statuses.keys()]).toEqual([200]);

    const down = await run(system, shop.root, ['down']);
    expect(down.stdout).toMatch(/instances? stopped/);
    expect(instancesOf(system.paths.home, 'ups', 'api@2')).toEqual([]);
    expect((await visit(shop.port)).status).not.toBe(200);
    expect(await service(system, shop.root, 'api')).toMatchObject({ health: 'stopped', instances: [], weights: {} });
    const { environments } = await json<StatusReply>(system, shop.root, ['status']);
    expect(environments).toMatchObject([{ project: 'ups', wanted: 'down' }]);
    const said = (await run(system, shop.root, ['status'])).stdout;
    expect(said.replaceAll(/\s+/g, ' ')).toContain('was promoted; its rollback window waits until it is up again');
    expect(said).not.toContain('watching');

    const again = await run(system, shop.root, ['up']);
    expect(again.stdout).toContain('nothing changed; started again');
    await waitFor(async () => (await visit(shop.port)).version === 'v1', {
      what: 'it to serve again',
      timeout: 20_000,
    });
    await waitFor(async () => (await service(system, shop.root, 'api')).health === 'healthy', { what: 'both copies' });
    expect(await service(system, shop.root, 'api')).toMatchObject({ release: 'api@2', health: 'healthy' });
  });

  test('comes back after everything was killed, at the next command', async () => {
    const shop = await folder({ name: 'boots' });
    await run(system, shop.root, ['up']);
    shop.program(app('v2'));
    await run(system, shop.root, ['deploy', 'api']);
    const running = await run(system, shop.root, ['server', 'status']);
    expect(running.stdout).toContain('The server runs');

    const { keeper, controller, edge } = await system.keeperInfo();
    const victims = [
      keeper.pid,
      controller?.pid ?? 0,
      edge?.pid ?? 0,
      ...instancesOf(system.paths.home, 'boots', 'api@1'),
      ...instancesOf(system.paths.home, 'boots', 'api@2'),
    ];
    expect(victims.length).toBeGreaterThanOrEqual(5);
    // All at once, as when the power goes: each of them would bring the others back.
    for (const pid of victims) process.kill(pid, 'SIGSTOP');
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    await waitFor(() => victims.every(isGone), { what: 'all of them to be gone' });
    expect((await visit(shop.port)).status).toBe(0);

    const off = await run(system, shop.root, ['status'], { code: 1 });
    expect(off.stderr).toContain('evenkeel up');
    expect((await run(system, shop.root, ['up'])).stdout).toContain('nothing changed');
    await waitFor(async () => (await visit(shop.port)).version === 'v2', {
      what: 'the promoted release to serve again',
      timeout: 30_000,
    });
    await waitFor(async () => (await service(system, shop.root, 'api')).health === 'healthy', {
      what: 'it to be called well',
      timeout: 20_000,
    });
    expect(await service(system, shop.root, 'api')).toMatchObject({ release: 'api@2' });
  });

  test('goes on without the server, and is found again by it', async () => {
    const shop = await folder({ name: 'stays' });
    await run(system, shop.root, ['up']);
    const before = instancesOf(system.paths.home, 'stays', 'api@1');
    expect(before).not.toEqual([]);
    const stopped = await run(system, shop.root, ['server', 'stop', '--yes']);
    expect(stopped.stdout).toContain('Instances go on running');
    expect((await visit(shop.port)).status).toBe(0);
    expect(instancesOf(system.paths.home, 'stays', 'api@1')).toEqual(before);
    const off = await run(system, shop.root, ['server', 'status'], { code: 1 });
    expect(off.stderr).toContain('evenkeel up');
    await run(system, shop.root, ['up']);
    await waitFor(async () => (await visit(shop.port)).version === 'v1', {
      what: 'it to answer again',
      timeout: 20_000,
    });
    expect(instancesOf(system.paths.home, 'stays', 'api@1')).toEqual(before);
  });
});
