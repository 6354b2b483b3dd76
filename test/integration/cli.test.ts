import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refusal, rolloutView, StandInApi } from '../fixtures/cli/stand-in-api.ts';
import { type Cli, startCli } from '../fixtures/cli/run-cli.ts';
import type { OperationId } from '../../src/api/contract/paths.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const FILE = `project: chat
services:
  api: { run: node api.js, health: /health, routes: [/api], env: { KEY: "\${API_KEY}" } }
secrets: [API_KEY]
`;

let api: StandInApi;
let folder: string;

beforeEach(async () => {
  folder = tempDir('chat');
  writeFileSync(join(folder, 'evenkeel.yaml'), FILE);
  api = new StandInApi(tempDir('home'));
  api.on('listSecrets', () => ({ secrets: [{ name: 'API_KEY', updatedAt: 1 }] }));
  await api.listen();
});
afterEach(() => api.end());

const start = (...args: string[]): Cli => startCli(args, { cwd: folder, env: { EVENKEEL_HOME: api.home } });
const run = (...args: string[]) => start(...args).ended;

/** A deploy whose rollout the test moves along. */
function deployable(): string {
  const view = rolloutView();
  api.on('deploy', () => {
    api.rollouts = [view];
    return { rollout: view.id, message: 'deploy of api@42 by ann' };
  });
  return view.id;
}

/** What was asked of an operation first. */
const inputOf = (operation: OperationId) => api.asked.find((each) => each.operation === operation)?.input;

const followed = (id: string) => waitFor(() => api.followers(id) > 0, { what: 'the CLI to follow' });

describe('deploy', () => {
  test('follows until the new release has all traffic, and ends with 0', async () => {
    const id = deployable();
    const cli = start('deploy', 'api', '--version', 'v1.6.0');
    await followed(id);
    api.move(id, { phase: 'building' }, 'building api@42');
    api.output(id, 'api', '> vite build');
    api.move(id, { phase: 'watching', promotedAt: Date.now() }, 'api@42 answered through the edge');
    const { code, stdout } = await cli.ended;
    expect(stdout).toMatch(/\d\d:\d\d:\d\d {2}building +building api@42\n/);
    expect(stdout).toMatch(/api +\| > vite build\n/);
    // What it is about stands above what happened.
    expect(stdout.indexOf(`rollout ${id}`)).toBeLessThan(stdout.indexOf('building'));
    expect(stdout).toContain('api@42 (v1.6.0) has all traffic in development');
    expect(stdout).toContain('evenkeel rollback api');
    expect(code).toBe(0);
    const asked = inputOf('deploy');
    expect(asked).toMatchObject({
      services: ['api'],
      label: 'v1.6.0',
      onlyChanged: false,
      replace: false,
      keepFailed: null,
    });
  });

  test('ends with 2 and the reason when it was taken back, once that is done', async () => {
    const id = deployable();
    const cli = start('deploy');
    await followed(id);
    api.move(id, { end: 'failed', endedAt: Date.now() }, 'errors 4.8 %, limit 1 %');
    await waitFor(() => cli.stdout().includes('errors 4.8 %'), { what: 'the reason' });
    expect(cli.stdout()).not.toContain('taken back');
    api.move(id, { settled: true });
    const { code, stdout } = await cli.ended;
    expect(stdout).toContain('api@42 (v1.6.0) was taken back (failed); api@41 has all traffic.');
    expect(code).toBe(2);
  });

  test('does not say that a former release serves which is down', async () => {
    const id = deployable();
    const { services } = rolloutView();
    api.on('getStatus', () => ({
      server: { version: '0', pid: 1, startedAt: 0, edge: true },
      environments: [
        { services: [{ service: 'api', release: services[0]?.from, health: 'down', detail: '0 of 1 healthy' }] },
      ],
    }));
    const cli = start('deploy', 'api');
    await followed(id);
    api.move(id, { phase: 'building' }, 'begun');
    api.output(id, 'api', 'no such module');
    const end = { end: 'failed', settled: true, endedAt: Date.now() } as const;
    api.move(id, end, 'build of api@42 failed: exit code 1; its last lines:\nno such module');
    const { stdout, code } = await cli.ended;
    expect(stdout).toContain('But api@41 is down: 0 of 1 healthy.');
    // What stands above already is not repeated, and what there is more of is named.
    expect(stdout).toContain('build of api@42 failed: exit code 1\n');
    expect(stdout).toContain('evenkeel logs api --job build');
    expect(code).toBe(2);
  });

  test('ends with 3 and what to type when a person must decide', async () => {
    const id = deployable();
    const cli = start('deploy');
    await followed(id);
    api.move(
      id,
      { paused: { reason: 'approval', since: Date.now(), detail: 'approval is needed' } },
      'approval is needed',
    );
    const { code, stdout } = await cli.ended;
    expect(stdout).toContain(`evenkeel approve ${id}`);
    expect(code).toBe(3);
  });

  test('with --json every event is a line, and the last one says what it came to', async () => {
    const id = deployable();
    const cli = start('deploy', '--json');
    await followed(id);
    api.move(id, { phase: 'watching', promotedAt: Date.now() }, 'answered');
    const { code, stdout } = await cli.ended;
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(['journal', 'rollout']));
    expect(lines.at(-1)).toMatchObject({ type: 'result', outcome: 'promoted', exit: 0, rollout: id });
    expect(code).toBe(0);
  });

  test('goes on after the controller was killed, and tells every entry of the journal once', async () => {
    const id = deployable();
    const cli = start('deploy');
    await followed(id);
    api.move(id, { phase: 'building' }, 'building api@42');
    await waitFor(() => cli.stdout().includes('building api@42'), { what: 'the first entry' });
    await api.kill();
    await api.listen();
    await followed(id);
    api.move(id, { phase: 'watching', promotedAt: Date.now() }, 'api@42 answered');
    const { code, stdout } = await cli.ended;
    expect(stdout.match(/ building api@42\n/g)).toHaveLength(1);
    expect(stdout).not.toContain('has not answered');
    expect(code).toBe(0);
    expect(api.asked.findLast(({ operation }) => operation === 'followRollout')?.input).toEqual({
      rollout: id,
      after: '1',
    });
  });

  test('Ctrl-C leaves the rollout going on, and says how to come back', async () => {
    const id = deployable();
    const cli = start('deploy');
    await followed(id);
    cli.kill('SIGINT');
    const { code, stdout } = await cli.ended;
    expect(stdout).toContain(`evenkeel watch ${id}`);
    expect(code).toBe(130);
    expect(inputOf('steerRollout') ?? inputOf('answerApproval')).toBeUndefined();
  });

  test('Ctrl-C while it is being begun waits for what was begun', async () => {
    const id = deployable();
    const begin = Promise.withResolvers<void>();
    api.on('deploy', async () => {
      await begin.promise;
      api.rollouts = [rolloutView()];
      return { rollout: id, message: 'begun' };
    });
    const cli = start('deploy');
    await waitFor(() => inputOf('deploy') !== undefined, { what: 'the request' });
    cli.kill('SIGINT');
    begin.resolve();
    const { code, stdout } = await cli.ended;
    expect(stdout).toContain(`evenkeel watch ${id}`);
    expect(code).toBe(130);
  });

  test('names missing secrets, with the command to set them, before anything is begun', async () => {
    api.on('listSecrets', () => ({ secrets: [] }));
    const { code, stderr } = await run('deploy', '--env', 'production');
    expect(stderr).toContain('API_KEY');
    expect(stderr).toContain('evenkeel secrets set API_KEY --env production');
    expect(code).toBe(1);
    expect(inputOf('deploy')).toBeUndefined();
  });

  test('shows all mistakes of the file at once, and begins nothing', async () => {
    writeFileSync(join(folder, 'evenkeel.yaml'), 'project: chat\nservices:\n  api: { rnu: x }\n  web: { static: 3 }\n');
    const { code, stderr } = await run('deploy');
    expect(stderr).toContain('evenkeel.yaml:3');
    expect(stderr).toContain('evenkeel.yaml:4');
    expect(code).toBe(1);
    expect(api.asked).toEqual([]);
  });
});

describe('up', () => {
  test('with nothing to do says so at once', async () => {
    api.on('deploy', () => ({ rollout: null, message: 'nothing changed since the last rollout' }));
    const { code, stdout } = await run('up');
    expect(stdout).toContain('nothing changed since the last rollout');
    expect(code).toBe(0);
    expect(inputOf('deploy')).toMatchObject({
      onlyChanged: true,
      services: null,
    });
  });
});

describe('rollback', () => {
  beforeEach(() => {
    api.rollouts = [rolloutView({ end: 'rolled-back', settled: true, phase: 'watching' })];
    api.on('rollback', () => ({ rollout: api.rollouts[0]?.id, message: 'api@41 has all traffic again' }));
  });

  test('says when the former release has all traffic, and how long it took', async () => {
    const { code, stdout } = await run('rollback', 'api', '--comment', 'blank pages');
    expect(stdout).toMatch(/api@41 has all traffic again \(.+\)/);
    expect(code).toBe(0);
    const asked = inputOf('rollback');
    expect(asked).toMatchObject({
      project: 'chat',
      environment: 'development',
      service: 'api',
      all: false,
      to: null,
      comment: 'blank pages',
    });
  });

  test('is not called done while a migration may still end', async () => {
    api.rollouts = [rolloutView({ phase: 'migrating' })];
    const message = 'it is taken back as soon as the migration that runs has ended';
    api.on('rollback', () => ({ rollout: api.rollouts[0]?.id, message }));
    const { code, stdout } = await run('rollback', 'api');
    expect(stdout).toContain('Not taken back yet');
    expect(code).toBe(2);
  });

  test('to a release needs no service besides; to a label it does', async () => {
    expect((await run('rollback', '--to', 'api@40')).code).toBe(0);
    expect(inputOf('rollback')).toMatchObject({ service: 'api', to: 'api@40' });
    expect((await run('rollback', '--to', 'v1.5.2')).code).toBe(1);
  });

  test('needs no file without mistakes', async () => {
    writeFileSync(join(folder, 'evenkeel.yaml'), 'project: chat # ours\nservices: [broken\n');
    expect((await run('rollback', 'api')).code).toBe(0);
  });

  test('needs no file at all with --project', async () => {
    const { code } = await startCli(['rollback', '--project', 'chat', '--env', 'production', 'api'], {
      cwd: tempDir('elsewhere'),
      env: { EVENKEEL_HOME: api.home },
    }).ended;
    expect(code).toBe(0);
    expect(inputOf('rollback')).toMatchObject({ environment: 'production' });
  });

  test('of a release that is cold follows the new rollout', async () => {
    const view = rolloutView({ kind: 'rollback' });
    api.rollouts = [view];
    const cli = start('rollback', 'api', '--to', 'v1.5.2');
    await followed(view.id);
    api.move(view.id, { end: 'failed', settled: true, endedAt: Date.now() }, 'api@41 did not start');
    expect((await cli.ended).code).toBe(2);
  });
});

describe('deciding about a rollout', () => {
  test('abort takes the only one under way, and says what is now so', async () => {
    const { id } = rolloutView();
    api.rollouts = [rolloutView({ phase: 'canary' })];
    api.on('steerRollout', () => {
      setTimeout(() => api.move(id, { settled: true }), 50);
      return { ...api.move(id, { end: 'aborted', endedAt: Date.now() }, 'aborted by ann'), answer: null };
    });
    const { code, stdout } = await run('abort', '--force', '--comment', 'wrong branch');
    expect(stdout).toContain('api@42 (v1.6.0) is taken back (aborted); api@41 has all traffic.');
    expect(code).toBe(0);
    expect(inputOf('steerRollout')).toMatchObject({
      kind: 'abort',
      force: true,
      comment: 'wrong branch',
    });
  });

  test('among several it must be said which, and all are named', async () => {
    api.rollouts = [rolloutView({ id: 'r_first000000000000000' }), rolloutView({ id: 'r_second00000000000000' })];
    const { code, stderr } = await run('promote');
    expect(stderr).toContain('r_first000000000000000');
    expect(stderr).toContain('r_second00000000000000');
    expect(code).toBe(1);
  });

  test('the last approval is answered when the rollout is promoted', async () => {
    const { id } = rolloutView();
    const approvals = { needed: 1, given: [] };
    api.rollouts = [
      rolloutView({ phase: 'verifying', approvals, paused: { reason: 'approval', since: 1, detail: 'asked for' } }),
    ];
    api.on('answerApproval', () => {
      setTimeout(() => api.move(id, { phase: 'watching', promotedAt: 2 }), 50);
      const given = [{ by: 'ann', at: 1, comment: null }];
      const answer = { refused: null, reason: 'approved by ann' };
      const approved = { phase: 'promoting', paused: null, approvals: { needed: 1, given } };
      return { ...api.move(id, approved, 'approved by ann'), answer };
    });
    const { code, stdout } = await run('approve');
    expect(stdout).toContain('api@42 (v1.6.0) has all traffic.');
    expect(code).toBe(0);
  });

  test('a worker, which has no traffic, runs', async () => {
    const services = rolloutView().services.map((each) => ({ ...each, kind: 'worker' as const }));
    const paused = { reason: 'operator', since: 1, detail: 'paused by ann' } as const;
    api.rollouts = [rolloutView({ phase: 'canary', paused, services })];
    const { id } = rolloutView();
    api.on('steerRollout', () => api.move(id, { phase: 'watching', paused: null, promotedAt: 2 }, 'promoted by ann'));
    expect((await run('promote')).stdout).toContain('api@42 (v1.6.0) runs.');
  });

  test('what is done already cannot be approved, and is not asked for', async () => {
    api.rollouts = [rolloutView({ phase: 'watching', promotedAt: 1, approvals: { needed: 0, given: [] } })];
    const { code, stderr } = await run('approve');
    expect(stderr).toContain('api@42 (v1.6.0) in development does not wait for approval');
    expect(stderr).toContain('--env names another environment');
    expect(code).toBe(1);
    expect((await run('reject')).stderr).toContain('evenkeel rollback api goes back');
    expect(inputOf('steerRollout') ?? inputOf('answerApproval')).toBeUndefined();
  });

  test('what was refused is a failure, whatever has happened to the rollout since', async () => {
    const { id } = rolloutView();
    api.rollouts = [rolloutView({ phase: 'verifying' })];
    api.on('steerRollout', () => ({
      ...api.move(id, { phase: 'canary' }, 'verified; 10 % of sessions go to the canary'),
      answer: { refused: 'no-effect', reason: 'promote by ann came too early' },
    }));
    const { code, stdout } = await run('promote');
    expect(stdout).toContain('promote by ann came too early.');
    expect(code).toBe(2);
  });

  test('a rollout that still waits for a person ends with 3', async () => {
    const paused = rolloutView({
      phase: 'canary',
      paused: { reason: 'approval', since: 1, detail: 'approval is needed' },
    });
    api.rollouts = [paused];
    const answer = { refused: 'not-an-approval', reason: 'resume by ann does not approve: use approve or reject' };
    api.on('steerRollout', () => ({ ...paused, answer }));
    const { code, stdout } = await run('resume', 'api');
    expect(stdout).toContain('Still paused: approval is needed.');
    expect(code).toBe(3);
  });
});

describe('secrets', () => {
  test('a value comes from the standard input, without the newline that echo adds', async () => {
    let put: unknown = null;
    api.on('setSecrets', ({ input }) => {
      put = input;
      return { changed: ['API_KEY'], unchanged: [], behind: ['api'] };
    });
    const { code, stdout, stderr } = await startCli(['secrets', 'set', 'API_KEY'], {
      cwd: folder,
      env: { EVENKEEL_HOME: api.home },
      input: 'sesame\n',
    }).ended;
    expect(put).toEqual({
      project: 'chat',
      environment: 'development',
      secrets: { API_KEY: 'sesame' },
    });
    // Nobody can be asked here, so nothing is rolled out that nobody spoke of.
    expect(stdout).toContain('evenkeel restart api');
    expect(inputOf('restart')).toBeUndefined();
    expect(stdout + stderr).not.toContain('sesame');
    expect(code).toBe(0);
  });

  test('a value on the command line is refused', async () => {
    const { code, stderr } = await run('secrets', 'set', 'API_KEY=sesame');
    expect(stderr).toContain('does not belong on the command line');
    expect(stderr).not.toContain('sesame');
    expect(code).toBe(1);
  });
});

test('an option that a verb has in common with its second word is heard behind that, too', async () => {
  api.on('exportAudit', () => ({}));
  await run('audit', 'export', '--who', 'ann');
  await run('audit', '--who', 'ben', 'export');
  const asked = api.asked.filter(({ operation }) => operation === 'exportAudit').map(({ input }) => input['who']);
  expect(asked).toEqual(['ann', 'ben']);
});

describe('what goes wrong', () => {
  test('a refusal is told with its reason and next step, as JSON too', async () => {
    api.on('rollback', () => {
      throw new Refusal({
        code: 'release-gone',
        what: 'the files of api@3 are not kept any more',
        why: 'only the last five are',
        next: 'git checkout v1',
      });
    });
    const people = await run('rollback', 'api');
    expect(people.stderr).toMatch(
      /the files of api@3 .*\(release-gone\)\n.*\n? +why +only the last five are\n +next +git checkout v1\n/,
    );
    expect(people.stdout).toBe('');
    const programs = await run('rollback', 'api', '--json');
    expect(JSON.parse(programs.stdout)).toMatchObject({
      error: { code: 'release-gone', next: 'git checkout v1', exit: 1 },
    });
    expect(programs.code).toBe(1);
  });

  test('no server is said in so many words', async () => {
    await api.end();
    const { code, stderr } = await run('status');
    expect(stderr).toContain('server-not-running');
    expect(stderr).toContain('evenkeel up');
    expect(code).toBe(1);
  });

  test('a command waits for a controller that its keeper is starting again', async () => {
    await api.kill();
    const cli = start('status');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await api.listen();
    expect((await cli.ended).code).toBe(0);
  });

  test.each([
    [['roolback'], 'evenkeel rollback'],
    [['deploy', '--rplace'], '--replace'],
    [['deploy', '--wait', 'never'], 'promoted, complete, none'],
    [['logs', '--lines', 'many'], 'wants a number'],
    [['logs', '--since', 'yesterday'], 'is not a time'],
    [['rollback'], 'wants a service'],
  ])('%j is answered with what was probably meant', async (args, hint) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toContain(hint);
    expect(code).toBe(1);
  });

  test('outside of a project it says so', async () => {
    const { code, stderr } = await startCli(['rollback', 'api'], {
      cwd: tempDir('empty'),
      env: { EVENKEEL_HOME: api.home },
    }).ended;
    expect(stderr).toContain('evenkeel init');
    expect(code).toBe(1);
  });
});

test('server restart ends the controller, and is done when another answers and a new edge took over', async () => {
  const controller = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const over = once(controller, 'exit');
  let startedAt = 1;
  void over.then(() => (startedAt = 2));
  api.on('getServer', () => ({ version: '0', pid: controller.pid, startedAt, home: api.home, edge: true }));
  api.on('restartEdge', () => ({ ok: true, reason: 'The old one drains.' }));
  const { code, stdout } = await run('server', 'restart');
  expect(stdout).toContain('A new controller has taken over.');
  expect(stdout).toContain('A new edge has taken over.');
  expect(code).toBe(0);
  expect(await over).toEqual([null, 'SIGTERM']);
});

test('a server that does not know what it is asked may be older than the command', async () => {
  api.on('deploy', () => {
    throw new Refusal({ code: 'bad-request', what: 'the request cannot be read', why: 'Unrecognized key' });
  });
  const { code, stderr } = await run('deploy');
  expect(stderr).toContain('evenkeel server restart');
  expect(code).toBe(1);
  api.on('getStatus', () => ({ server: { version: '0', pid: 1, startedAt: 0, edge: true } }));
  expect((await run('status')).stderr).toContain('evenkeel server restart');
});

test('logs are lines for people and JSON for programs', async () => {
  const line = {
    at: 1_800_000_000_000,
    service: 'api',
    release: 'api@42',
    instance: 'api-42-1',
    line: 'hello \u001b]0;x\u0007you',
  };
  api.on('readLogs', () => line);
  const people = await run('logs', 'api', '--grep', 'hello', '--since', '10m', '-f');
  expect(people.stdout).toMatch(/^\d\d:\d\d:\d\d api-42-1 \| hello you\n$/);
  const asked = inputOf('readLogs');
  expect(asked).toMatchObject({ project: 'chat', service: 'api', grep: 'hello', follow: 'true' });
  expect(Number(asked?.['since'])).toBeGreaterThan(Date.now() - 660_000);
  expect(JSON.parse((await run('logs', '--json')).stdout)).toEqual(line);
  api.on('readLogs', () => ({ ...line, instance: 'chat.development.api@42.1.0' }));
  expect((await run('logs')).stdout).toContain(' api@42 #2 | hello');
  api.on('readLogs', () => ({ ...line, instance: 'chat.development.api@42.0.3' }));
  expect((await run('logs')).stdout).toContain(' api@42 #1 restart 3 | hello');
});

test('a secret that was typed behind its name is not repeated, and a limit must be a number', async () => {
  const { code, stderr } = await run('secrets', 'set', 'API_KEY', 'sesame');
  expect(stderr).toContain('not written on the command line');
  expect(stderr).not.toContain('sesame');
  expect(code).toBe(1);
  expect((await run('rollouts', '--limit', 'all')).stderr).toContain('--limit wants a number');
});

test('a service that does not exist is guessed', async () => {
  expect((await run('deploy', 'apo')).stderr).toContain('did you mean api?');
});

test('an environment that was never started is named, with the command that starts it', async () => {
  const { stdout } = await run('status', '--env', 'production');
  expect(stdout).toContain('Nothing of chat was ever started in production.');
  expect(stdout).toContain('evenkeel up --env production');
});

describe('before there is anything', () => {
  test('init writes a file that check accepts, and does not replace it', async () => {
    const fresh = tempDir('fresh');
    mkdirSync(join(fresh, 'src'));
    writeFileSync(join(fresh, 'package.json'), '{ "name": "shop", "scripts": { "start": "node src/main.js" } }');
    const here = { cwd: fresh, env: { EVENKEEL_HOME: api.home } };
    expect((await startCli(['init'], here).ended).code).toBe(0);
    expect((await startCli(['check'], here).ended).stdout).toContain('shop');
    const again = await startCli(['init'], here).ended;
    expect(again.stderr).toContain('file-exists');
    expect(again.code).toBe(1);
  });

  test.each([[[]], [['--help']], [['help', 'deploy']], [['help', '--json', 'deploy']], [['secrets', 'set', '--help']]])(
    '%j is help, and done',
    async (args) => {
      const { code, stdout, stderr } = await run(...args);
      expect(stdout).toMatch(/usage/i);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    },
  );
});
