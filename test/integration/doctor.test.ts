import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import type { Finding } from '../../src/api/contract/doctor.ts';
import { evenkeelPaths, prepareHome } from '../../src/platform/paths.ts';
import { processIdentity } from '../../src/platform/process/identity.ts';
import { Refusal, StandInApi } from '../fixtures/cli/stand-in-api.ts';
import { startCli } from '../fixtures/cli/run-cli.ts';
import { openSystem, projectFolder } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

/** A home as a server leaves it, and its owner's environment. */
function openHome() {
  const folder = tempDir('doctor');
  const env = { EVENKEEL_HOME: join(folder, 'h'), EVENKEEL_SECRETS_KEY_FILE: join(folder, 'key') };
  const paths = evenkeelPaths({ ...process.env, ...env });
  prepareHome(paths);
  writeFileSync(paths.token, 'a-token\n', { mode: 0o600 });
  return { paths, env, folder };
}

async function examine(env: Record<string, string>, cwd: string) {
  const { code, stdout } = await startCli(['doctor', '--json'], { cwd, env }).ended;
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  return { code, ok, findings, bad: findings.filter(({ level }) => level !== 'ok') };
}

/** A process that does nothing, until the test is over. */
async function sleeper(env: Record<string, string> = {}): Promise<number> {
  const child = spawn('sleep', ['600'], { env: { PATH: process.env['PATH'] ?? '', ...env } });
  await once(child, 'spawn');
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  return child.pid ?? 0;
}

test('a machine on which nothing has run has no problems, and is left as it was', async () => {
  const folder = tempDir('fresh');
  const env = { EVENKEEL_HOME: join(folder, 'h'), EVENKEEL_SECRETS_KEY_FILE: join(folder, 'key') };
  const { code, ok, findings } = await examine(env, folder);
  expect(findings.filter(({ level }) => level === 'problem')).toEqual([]);
  expect([code, ok]).toEqual([0, true]);
  expect(findings.find(({ check }) => check === 'home')?.what).toContain('is not there yet');
});

test('all that is wrong with a home comes at once, each with what to do, and nothing is changed', async () => {
  const { paths, env, folder } = openHome();
  chmodSync(paths.token, 0o644);
  chmodSync(paths.home, 0o750);
  writeFileSync(paths.store, 'this was a database once', { mode: 0o600 });
  writeFileSync(paths.secretsFile, '{}', { mode: 0o600 });
  writeFileSync(paths.keeperInfo, '{"keeper":{"pid', { mode: 0o600 });
  const ahead = new Date(Date.now() + 3_600_000);
  utimesSync(paths.keeperInfo, ahead, ahead);
  const { code, bad } = await examine(env, folder);
  expect(code).toBe(1);
  const said = bad.map(({ check, level, what }) => `${level} ${check}: ${what}`).join('\n');
  expect(said).toContain(`problem permissions: ${paths.token} (token) is open to other users (mode 644)`);
  expect(said).toContain(`problem permissions: ${paths.home} (home) is open to other users (mode 750)`);
  expect(said).toContain(`problem store: ${paths.store} is damaged`);
  expect(said).toContain(`problem secrets: the key ${paths.secretsKey} is gone`);
  expect(said).toContain(`warning files: ${paths.keeperInfo} is damaged`);
  expect(said).toMatch(/warning clock: .*keeper\.json was written .* from now/);
  expect(bad.every(({ next }) => next !== null && next !== '')).toBe(true);
  expect(readFileSync(paths.store, 'utf8')).toBe('this was a database once');
});

test('processes without a record and records without a process are found', async () => {
  const { paths, env, folder } = openHome();
  const stray = await sleeper({ EVENKEEL_FOLDER: join(paths.instances, 'gone@1-0') });
  const dead = join(paths.instances, 'api@7-0');
  mkdirSync(dead);
  const { boot } = processIdentity(process.pid) ?? { boot: '' };
  writeFileSync(join(dead, 'claim'), `4194303 1 ${boot} first\n`);
  const left = join(paths.jobs, '.removed-1');
  mkdirSync(left);
  const past = new Date(Date.now() - 86_400_000);
  utimesSync(left, past, past);
  const { code, bad } = await examine(env, folder);
  expect(code).toBe(1);
  expect(bad).toContainEqual(expect.objectContaining({ check: 'orphans', level: 'problem', next: `kill ${stray}` }));
  expect(bad.find(({ what }) => what.includes('instance api@7-0 died'))).toMatchObject({ level: 'warning' });
  expect(bad.find(({ check }) => check === 'leftovers')?.next).toBe(`rm -rf ${left}`);
});

test('an instance of an environment that the store does not know is found; another version is a warning', async () => {
  const { paths, env, folder } = openHome();
  const pid = await sleeper();
  const instance = join(paths.instances, 'api@3-0');
  mkdirSync(instance);
  const identity = processIdentity(pid);
  writeFileSync(join(instance, 'claim'), `${pid} ${identity?.startTime} ${identity?.boot} first\n`);
  const past = new Date(Date.now() - 600_000);
  utimesSync(join(instance, 'claim'), past, past);
  const record = { id: 'api@3-0', project: 'chat', environment: 'old', service: 'api', release: 'api@3', index: 0 };
  const rest = {
    generation: 0,
    port: null,
    log: '/dev/null',
    cgroups: [],
    limits: { memory: true, cpu: true, why: null },
  };
  writeFileSync(join(instance, 'instance.first.json'), JSON.stringify({ ...record, ...rest }));
  const api = new StandInApi(paths.home);
  api.on('examineServer', () => ({ version: '0.0.1', edge: true, databases: [], environments: [] }));
  await api.listen();
  onTestFinished(() => api.end());
  const { bad } = await examine(env, folder);
  expect(bad.find(({ what }) => what.includes('api@3-0 runs for chat old'))).toMatchObject({ next: `kill ${pid}` });
  const restart = { level: 'warning', next: 'evenkeel server restart' };
  expect(bad.find(({ check }) => check === 'versions')).toMatchObject(restart);
  // One from before it could be asked so.
  api.on('examineServer', () => {
    throw new Refusal({ code: 'not-found', what: 'there is no such thing' });
  });
  api.on('getServer', () => ({ version: '0.0.1', edge: true, pid: 1, startedAt: 0, home: paths.home }));
  const older = await examine(env, folder);
  expect(older.bad.find(({ check }) => check === 'versions')).toMatchObject(restart);
  expect(older.bad.filter(({ level }) => level === 'problem')).toEqual([]);
});

test('in a project its port, its programs and its file are looked at', async () => {
  const { env } = openHome();
  const port = await freePort();
  const file = (text: string): string => `project: chat\nport: ${port}\nservices:\n  web: { ${text}, routes: [/] }\n`;
  const root = projectFolder({ 'evenkeel.yaml': file('run: no-such-program-here --port $PORT') });
  const free = await examine(env, root);
  expect(free.findings.find(({ check }) => check === 'ports')).toMatchObject({ level: 'ok' });
  expect(free.bad.find(({ check }) => check === 'programs')?.what).toContain('no-such-program-here is not in PATH');
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  try {
    const taken = await examine(env, root);
    expect(taken.bad.find(({ check }) => check === 'ports')?.what).toContain('is used by another program');
    expect(taken.code).toBe(1);
  } finally {
    other.close();
    await once(other, 'close');
  }
  writeFileSync(join(root, 'evenkeel.yaml'), file('runn: x'));
  expect((await examine(env, root)).bad.find(({ check }) => check === 'configuration')?.next).toBe('evenkeel check');
});

test.skipIf(process.getuid?.() !== 0)(
  'a home of somebody else is one problem (skipped: only root can have one)',
  async () => {
    const { paths, env, folder } = openHome();
    mkdirSync(join(paths.instances, 'a'));
    chownSync(paths.home, 65_534, 65_534);
    const { bad, code } = await examine(env, folder);
    expect(bad.filter(({ check }) => check === 'permissions').map(({ what }) => what)).toEqual([
      `${paths.home} (home) belongs to user 65534, and this is user 0`,
    ]);
    expect(code).toBe(1);
  },
);

test('people read what is wrong and what to type; what is fine only when they ask', async () => {
  const { paths, env, folder } = openHome();
  chmodSync(paths.token, 0o604);
  const { stdout, code } = await startCli(['doctor'], { cwd: folder, env }).ended;
  expect(stdout).toContain(`permissions: ${paths.token} (token) is open to other users (mode 604)`);
  expect(stdout).toContain(`\n    rm ${paths.token} && evenkeel server restart`);
  expect(stdout).not.toContain('Node v');
  expect(stdout).toMatch(/1 problem, .*checks are fine/);
  expect(code).toBe(1);
  expect((await startCli(['doctor', '--all'], { cwd: folder, env }).ended).stdout).toContain('Node v');
});

test('a server that runs is asked: sound, with a damaged store, and hung', { timeout: 180_000 }, async () => {
  const system = openSystem();
  await system.start();
  // A clean end moves everything into the database file itself, so that damage to it shows.
  await system.stop();
  await system.start();
  const cwd = tempDir('elsewhere');
  const env = {
    EVENKEEL_HOME: system.paths.home,
    EVENKEEL_SECRETS_KEY_FILE: system.paths.secretsKey,
  };
  const sound = await waitFor(
    async () => {
      const found = await examine(env, cwd);
      return found.ok ? found : null;
    },
    { what: 'a server with nothing wrong', timeout: 60_000, interval: 500 },
  );
  expect(sound.code).toBe(0);
  expect(
    sound.findings.filter(
      ({ check, level }) => level === 'ok' && ['store', 'edge', 'versions', 'processes'].includes(check),
    ),
  ).toHaveLength(4);

  const whole = readFileSync(system.paths.store);
  try {
    const broken = Buffer.from(whole);
    broken.fill(0xff, 4096 * 2, Math.min(broken.length, 4096 * 12));
    writeFileSync(system.paths.store, broken);
    const { code, bad } = await examine(env, cwd);
    expect(bad.find(({ check }) => check === 'store')).toMatchObject({ level: 'problem' });
    expect(code).toBe(1);
  } finally {
    writeFileSync(system.paths.store, whole);
  }

  const { controller } = await system.keeperInfo();
  const pid = controller?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    const { code, bad } = await examine(env, cwd);
    expect(bad.find(({ check }) => check === 'processes')?.next).toBe(`kill -CONT ${pid}`);
    expect(bad.find(({ check }) => check === 'server')?.what).toContain('does not answer');
    expect(code).toBe(1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});
