import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import type { SecretView } from '../../src/api/contract/secrets.ts';
import { app, folder } from '../support/bad/app.ts';
import { begin, beginProgram, CLI, run } from '../support/bad/command.ts';
import { processesIn } from '../support/bad/processes.ts';
import { sharedSystem, told } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import type { CliResult } from '../support/evenkeel-home.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

/** Ends by the signal itself while Node is still starting: a shell calls both 130. */
const wasInterrupted = ({ code }: CliResult): boolean => code === 130 || code === null;

async function rollouts(project: string): Promise<RolloutView[]> {
  const { rollouts: found } = await system.get<{ rollouts: RolloutView[] }>(`/api/v1/rollouts?project=${project}`);
  return found;
}

/** Times after its start at which a command is interrupted, in ms: while it is loaded, reads, asks, and waits. */
const POINTS = [20, 120, 220, 320, 450, 650, 900];

/** So far, from wherever. */
const charactersRead = (pid: number): number =>
  Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);

describe('Ctrl-C', () => {
  test('at any point of the first `up` leaves nothing, or a rollout that goes on', async () => {
    const gate = join(tempDir('gate'), 'go');
    const shop = await folder({ name: 'first', service: [`build: 'while [ ! -e ${gate} ]; do sleep 0.05; done'`] });
    for (const point of [...POINTS, 1500]) {
      const command = begin(system.env, ['up'], shop.root);
      await Promise.race([sleep(point), command.ended]);
      command.interrupt();
      const result = await command.ended;
      expect(wasInterrupted(result), told(result)).toBe(true);
      if (result.code === null) continue;
      if (result.stderr.includes('nothing was begun')) {
        if (existsSync(system.paths.keeperInfo)) expect(await waitForRollouts('first')).toEqual([]);
        continue;
      }
      expect(result.stdout).toContain('the rollout goes on');
      break;
    }
    await system.start();
    writeFileSync(gate, '');
    const up = await system.cli(['up'], { cwd: shop.root });
    if (up.code !== 0) {
      // It met the one that was left to itself.
      expect(told(up)).toContain('(rollout-under-way)');
      const [open] = await rollouts('first');
      await system.reach(open?.id ?? '', ({ promotedAt }) => promotedAt !== null, 'its promotion');
    }
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    expect((await rollouts('first')).filter(({ promotedAt }) => promotedAt === null)).toEqual([]);
  });

  test('while a deploy is followed leaves it to itself, and says how to come back; twice in a row as well', async () => {
    const gate = join(tempDir('gate'), 'go');
    const shop = await folder({ name: 'followed', service: [`build: 'while [ ! -e ${gate} ]; do sleep 0.05; done'`] });
    for (const times of [1, 2]) {
      const command = begin(system.env, times === 1 ? ['deploy'] : ['watch'], shop.root);
      await command.says('building');
      for (let time = 0; time < times; time++) command.interrupt();
      const result = await command.ended;
      expect(result.code, told(result)).toBe(130);
      if (times === 1) {
        expect(result.stdout).toContain('the rollout goes on');
        expect(result.stdout).toContain('evenkeel watch');
        expect(result.stdout).toContain('evenkeel abort');
      }
    }
    const [open] = await rollouts('followed');
    expect(open).toMatchObject({ end: null, phase: 'building' });
    writeFileSync(gate, '');
    await system.reach(open?.id ?? '', ({ promotedAt }) => promotedAt !== null, 'its promotion');
    expect(await visit(shop.port)).toMatchObject({ version: 'v1' });
  });

  test('with --json still gives one document that says so', async () => {
    const gate = join(tempDir('gate'), 'go');
    const shop = await folder({ name: 'json', service: [`build: 'while [ ! -e ${gate} ]; do sleep 0.05; done'`] });
    const command = begin(system.env, ['deploy', '--json'], shop.root);
    await command.says('"building"');
    command.interrupt();
    const result = await command.ended;
    expect(result.code).toBe(130);
    const last: unknown = JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ type: 'result', outcome: 'detached', exit: 130 });
    const [open] = await rollouts('json');
    const aborted = await system.cli(['abort', open?.id ?? ''], { cwd: shop.root });
    expect(aborted.code, told(aborted)).toBe(0);
    expect(processesIn(gate, gate)).toEqual([]);
  });

  test('at any point of a rollback leaves one release or the other with all traffic', async () => {
    const shop = await folder({ name: 'back' });
    const first = await system.cli(['up'], { cwd: shop.root });
    expect(first.code, told(first)).toBe(0);
    for (const [index, point] of POINTS.slice(1, 5).entries()) {
      shop.program(app(`w${index}`));
      const next = await system.cli(['deploy', 'api'], { cwd: shop.root });
      expect(next.code, told(next)).toBe(0);
      const command = begin(system.env, ['rollback', 'api'], shop.root);
      await Promise.race([sleep(point), command.ended]);
      command.interrupt();
      const result = await command.ended;
      expect(wasInterrupted(result) || result.code === 0, told(result)).toBe(true);
      const [newest] = await rollouts('back');
      await system.reach(
        newest?.id ?? '',
        ({ end, settled, phase }) => (end === null ? phase === 'watching' : settled),
        'rest',
      );
      const status = (await system.status()).environments.find(({ project }) => project === 'back')?.services[0];
      expect(Object.values(status?.weights ?? {})).toEqual([100]);
      expect((await visit(shop.port)).status).toBe(200);
      // What was said is what is.
      if (result.code === 0) expect((await visit(shop.port)).version).not.toBe(`w${index}`);
    }
  });

  test('ends `logs -f`, `status` and `watch` at once, whenever it comes', async () => {
    const shop = await folder({ name: 'looker' });
    shop.program(app('v1', 'console.log("hello");'));
    const first = await system.cli(['up'], { cwd: shop.root });
    expect(first.code, told(first)).toBe(0);
    const follow = begin(system.env, ['logs', 'api', '-f'], shop.root);
    await follow.says('hello');
    follow.interrupt();
    const left = await follow.ended;
    expect(left.code, told(left)).toBe(130);
    expect(left.stderr).toBe('');
    for (const args of [['status'], ['logs', 'api', '-f'], ['watch'], ['check']])
      for (const point of [60, 180, 260]) {
        const command = begin(system.env, args, shop.root);
        await Promise.race([sleep(point), command.ended]);
        command.interrupt();
        const result = await command.ended;
        expect(
          wasInterrupted(result) || result.code === 0,
          `${args.join(' ')} after ${point} ms: ${told(result)}`,
        ).toBe(true);
        expect(result.stderr).not.toMatch(/\bat .*\.ts:/);
      }
  });

  test('does not wait for a server that hangs', async () => {
    const shop = await folder({ name: 'hung' });
    await system.start();
    const controller = (await system.keeperInfo()).controller?.pid ?? Number.NaN;
    process.kill(controller, 'SIGSTOP');
    try {
      for (const verb of ['status', 'up', 'deploy']) {
        const command = begin(system.env, [verb], shop.root);
        await Promise.race([sleep(600), command.ended]);
        command.interrupt();
        const result = await command.ended;
        expect(wasInterrupted(result), told(result)).toBe(true);
      }
    } finally {
      process.kill(controller, 'SIGCONT');
    }
    expect(await rollouts('hung')).toEqual([]);
  });

  test('while a secret is read sets nothing, and the terminal is as it was', async () => {
    const shop = await folder({ name: 'secretive' });
    const secrets = async (): Promise<SecretView[]> =>
      (await system.get<{ secrets: SecretView[] }>('/api/v1/projects/secretive/environments/development/secrets'))
        .secrets;
    await system.start();
    const piped = begin(system.env, ['secrets', 'set', 'KEY'], shop.root);
    await sleep(300);
    piped.child.stdin.write('half of the va');
    piped.interrupt();
    const result = await piped.ended;
    expect(wasInterrupted(result), told(result)).toBe(true);
    expect(await secrets()).toEqual([]);

    for (const way of ['typed', 'signalled']) {
      const notes = tempDir('tty');
      const script = `stty -a > ${notes}/before; "${CLI}" secrets set KEY; echo $? > ${notes}/code; stty -a > ${notes}/after`;
      const terminal = beginProgram('script', ['-qefc', script, '/dev/null'], { env: system.env, cwd: shop.root });
      await terminal.says('not shown');
      const reading = processesIn(shop.root).filter(({ command }) => command.endsWith('secrets set KEY'));
      const before = reading.map(({ pid }) => charactersRead(pid));
      terminal.child.stdin.write('half');
      if (way === 'typed') terminal.child.stdin.write('\u0003');
      else {
        // What is typed after the end is the terminal's own to show.
        await waitFor(() => reading.some(({ pid }, i) => charactersRead(pid) >= (before[i] ?? 0) + 4), {
          what: 'the command to have what was typed',
        });
        for (const { pid } of reading) signal(pid);
      }
      await waitFor(() => existsSync(join(notes, 'after')), { what: `the terminal to be free (${way})` });
      terminal.child.stdin.end();
      await terminal.ended;
      expect(readFileSync(join(notes, 'code'), 'utf8').trim()).toBe('130');
      await waitFor(() => readFileSync(join(notes, 'after'), 'utf8') === readFileSync(join(notes, 'before'), 'utf8'), {
        what: `the terminal to be as it was (${way})`,
      });
      expect(terminal.stdout()).not.toContain('half');
      expect(await secrets()).toEqual([]);
    }
  });

  test('on a terminal gives the cursor back', async () => {
    const gate = join(tempDir('gate'), 'go');
    const shop = await folder({ name: 'shown', service: [`build: 'while [ ! -e ${gate} ]; do sleep 0.05; done'`] });
    const notes = tempDir('tty');
    const script = `trap : INT; "${CLI}" deploy; echo $? > ${notes}/code.new; mv ${notes}/code.new ${notes}/code`;
    const env = { ...system.env, TERM: 'xterm-256color' };
    const terminal = beginProgram('script', ['-qefc', script, '/dev/null'], { env, cwd: shop.root });
    await terminal.says(/build \d/);
    terminal.child.stdin.write('\u0003');
    await terminal.says('goes on');
    // A terminal that closes hangs up on whoever still runs in it.
    await waitFor(() => existsSync(join(notes, 'code')), { what: 'the command to end' });
    terminal.child.stdin.end();
    await terminal.ended;
    expect(readFileSync(join(notes, 'code'), 'utf8').trim()).toBe('130');
    const out = terminal.stdout();
    expect(out.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(out.lastIndexOf('\u001b[?25l'));
    const [open] = await rollouts('shown');
    const aborted = await run(system.env, ['abort', open?.id ?? ''], shop.root);
    expect(aborted.code, told(aborted)).toBe(0);
  });
});

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // The wrapper of it ended with it.
  }
}

/** Rollouts as soon as the server that is being started answers; none when it does not come. */
async function waitForRollouts(project: string): Promise<RolloutView[]> {
  await system.start();
  return rollouts(project);
}
