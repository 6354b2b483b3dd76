import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileSecrets } from '../../src/drivers/secrets/file-secrets.ts';
import { isDead, processStat } from '../../src/platform/process/identity.ts';
import { hasInEnvironment, livingProcesses } from '../../src/platform/process/table.ts';
import { startCli, type Cli } from '../fixtures/cli/run-cli.ts';
import { RUN_VARIABLE, runId } from '../support/run-id.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

const TIMEOUT = 60_000;
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

interface Event {
  type: string;
  service: string | null;
  text: string;
  url?: string;
}

interface Dev {
  cli: Cli;
  port: number;
  /** What has happened so far. */
  events(): Event[];
  until(test: (event: Event) => boolean, what: string): Promise<Event>;
  /** What the address of the environment answers. */
  get(path: string, host?: string): Promise<{ status: number; body: string }>;
}

/** A project with these files, and `evenkeel dev --json` in it. */
async function startDev(
  files: Record<string, string>,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Promise<Dev & { folder: string }> {
  const folder = tempDir('dev');
  for (const [name, text] of Object.entries(files)) write(folder, name, text);
  const port = await freePort();
  const home = { EVENKEEL_HOME: join(folder, '.home'), EVENKEEL_SECRETS_KEY_FILE: join(folder, '.key') };
  const cli = startCli(['dev', '--json', '--port', String(port), ...args], { cwd: folder, env: { ...home, ...env } });
  onTestFinished(async () => {
    cli.kill('SIGKILL');
    await cli.ended;
    await nobodyLeft();
  });
  const events = (): Event[] =>
    cli
      .stdout()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Event);
  return {
    cli,
    port,
    folder,
    events,
    until: (test, what) =>
      waitFor(() => events().find(test), { what: `${what}; it said:\n${cli.stdout()}`, timeout: TIMEOUT }),
    get: (path, host) => get(port, path, host),
  };
}

function write(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

function get(port: number, path: string, host = `127.0.0.1:${port}`): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Whoever this file started and who still lives. */
const alive = (): number[] =>
  livingProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => hasInEnvironment(pid, `${RUN_VARIABLE}=${runId()}`));

const nobodyLeft = (): Promise<unknown> =>
  waitFor(() => alive().length === 0, { what: 'every process of it to be gone', timeout: TIMEOUT });

/** A program that answers with its text and what the one it asks says, and upgrades to an echo. */
const server = (text: string): string => `
const { createServer } = require('node:http');
const server = createServer(async (req, res) => {
  const ask = process.env.ASK;
  const other = ask === undefined ? '' : ' and ' + (await fetch(ask + '/other').then((it) => it.text(), String));
  res.end(${JSON.stringify(text)} + ' ' + req.url + other);
});
server.on('upgrade', (req, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n');
  socket.pipe(socket);
});
server.listen(process.env.PORT, process.env.HOST, () => console.log('listens in ' + process.env.EVENKEEL_SERVICE));
`;

const lineOf = (service: string, text: string) => (event: Event) =>
  event.type === 'line' && event.service === service && event.text.includes(text);
const ready = (service: string) => (event: Event) => event.type === 'ready' && event.service === service;

test('services reach each other and are reached at one address; a change starts one anew; Ctrl-C ends all', async () => {
  const dev = await startDev({
    'evenkeel.yaml': `project: shop
services:
  web: { run: node web/main.js, dir: ., routes: [/], after: [api], env: { ASK: "\${services.api.url}" } }
  api: { run: node main.js, dir: api, routes: [/api, admin.example/], health: /health }
  docs: { static: pages, routes: [/docs] }
  job: { run: node never.js, dev: "sleep 600 & setsid sleep 600 & echo $GREETING; wait", env: { GREETING: "hello \${NAME}" } }
`,
    '.env': 'NAME=ada\n',
    '.gitignore': 'written\n',
    'web/main.js': server('web one'),
    'api/main.js': server('api one'),
    'pages/index.html': 'page one',
  });
  await dev.until(ready('web'), 'web to be ready');
  await dev.until(lineOf('job', 'hello ada'), 'the dev command of the job');
  expect((await dev.get('/')).body).toBe('web one / and api one /other');
  expect((await dev.get('/api/x?y=1')).body).toBe('api one /api/x?y=1');
  expect((await dev.get('/', 'admin.example.localhost')).body).toBe('api one /');
  expect((await dev.get('/docs/')).body).toBe('page one');
  expect(await echoed(dev.port, '/api/socket', 'over the tunnel')).toBe('over the tunnel');
  // web waited for api
  const order = dev.events().filter((event) => event.type === 'ready' || event.type === 'starting');
  expect(order.findIndex(ready('api'))).toBeLessThan(
    order.findIndex(({ type, service }) => type === 'starting' && service === 'web'),
  );

  // what is ignored concerns nobody, and what is served is there at once
  write(dev.folder, 'written/log.txt', 'x');
  write(dev.folder, 'pages/index.html', 'page two');
  expect((await dev.get('/docs/')).body).toBe('page two');
  write(dev.folder, 'api/main.js', server('api two'));
  await dev.until(({ type, service }) => type === 'changed' && service === 'api', 'the change to be seen');
  const said: string[] = [];
  const answer = await waitFor(
    async () => {
      const reply = await dev.get('/');
      said.push(reply.body);
      return reply.body.includes('api two') ? reply : null;
    },
    { what: 'the new api', timeout: TIMEOUT },
  );
  // its address is there also while it starts anew
  expect(said.join('; ')).not.toContain('fetch failed');
  expect(answer.body).toBe('web one / and api two /other');
  expect(
    dev
      .events()
      .filter(({ type }) => type === 'changed')
      .map(({ service }) => service),
  ).toEqual(['api']);
  // a new folder is watched, too
  write(dev.folder, 'web/lib/new.js', '1');
  await dev.until(({ type, service }) => type === 'changed' && service === 'web', 'the new file to be seen');
  const urls = dev
    .events()
    .filter(ready('api'))
    .map(({ url }) => url);
  expect(new Set(urls).size).toBe(1);

  dev.cli.kill('SIGINT');
  const { code, stderr } = await dev.cli.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(alive()).toEqual([]);
}, 120_000);

test('a program that crashes is told, asking it says so, and the next change starts it again', async () => {
  const dev = await startDev({
    'evenkeel.yaml': 'project: shop\nservices:\n  api: { run: node main.js, routes: [/] }\n',
    'main.js': 'console.error("no database"); process.exit(3);',
  });
  const { text } = await dev.until(({ type }) => type === 'ended', 'the crash');
  expect(text).toMatch(/^api ended with code 3; it starts again when its files change, or in /);
  expect(dev.events().some(lineOf('api', 'no database'))).toBe(true);
  const answer = await waitFor(async () => ((reply) => (reply.status === 503 ? reply : null))(await dev.get('/')), {
    what: 'a word about the crash',
    timeout: TIMEOUT,
  });
  expect(answer.body).toContain('api ended with code 3');
  write(dev.folder, 'main.js', server('mended'));
  await dev.until(ready('api'), 'the mended program');
  expect((await dev.get('/')).body).toBe('mended /');
  dev.cli.kill('SIGTERM');
  expect((await dev.cli.ended).code).toBe(0);
}, 120_000);

test.skipIf(!hasIpv6)(
  `a program that listens on ::1 alone is found${hasIpv6 ? '' : ' (no IPv6 here)'}`,
  async () => {
    const dev = await startDev({
      'evenkeel.yaml': 'project: shop\nservices:\n  api: { run: node main.js, routes: [/], health: /health }\n',
      'main.js': server('six').replace('process.env.HOST', "'::1'"),
    });
    expect((await dev.until(ready('api'), 'the api')).url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await dev.get('/')).body).toBe('six /');
    dev.cli.kill('SIGINT');
    expect((await dev.cli.ended).code).toBe(0);
  },
  120_000,
);

test('nothing is left when it is killed', async () => {
  const dev = await startDev({
    'evenkeel.yaml': `project: shop
services:
  api: { run: node main.js, routes: [/], stopGrace: 1s }
  job: { run: "trap '' TERM; setsid sleep 600 & sleep 600", stopGrace: 1s }
`,
    'main.js': server('api'),
  });
  await dev.until(ready('api'), 'the api');
  await dev.until(ready('job'), 'the job');
  expect(alive().length).toBeGreaterThan(4);
  dev.cli.kill('SIGKILL');
  await nobodyLeft();
}, 120_000);

test('the second Ctrl-C does not wait for who does not listen', async () => {
  const dev = await startDev({
    'evenkeel.yaml': `project: shop
services:
  job: { run: "trap 'echo no' TERM; echo here; while :; do sleep 0.1; done", stopGrace: 10m }
`,
  });
  await dev.until(lineOf('job', 'here'), 'the job');
  dev.cli.kill('SIGINT');
  await dev.until(lineOf('job', 'no'), 'the first one to be refused');
  dev.cli.kill('SIGINT');
  expect((await dev.cli.ended).code).toBe(130);
  await nobodyLeft();
}, 120_000);

test('secrets come from the store or from variables, and those that are nowhere are named', async () => {
  const files = {
    'evenkeel.yaml': `project: shop
services:
  job: { run: 'echo "$A-$B"; sleep 600', env: { A: "\${KEY_A}", B: "\${KEY_B}" } }
secrets: [KEY_A, KEY_B]
`,
    '.env': 'KEY_A=from-file\n',
  };
  const without = await startDev(files);
  const { code, stdout } = await without.cli.ended;
  expect(code).toBe(1);
  expect(stdout).toContain('"code":"secret-missing"');
  expect(stdout).toContain('KEY_B');
  expect(stdout).not.toContain('KEY_A');

  const home = tempDir('home');
  const keyFile = join(home, 'key');
  await fileSecrets({ file: join(home, 'secrets.json'), keyFile }).set(
    { project: 'shop', environment: 'development' },
    'KEY_A',
    'from-store',
  );
  const env = { EVENKEEL_HOME: home, EVENKEEL_SECRETS_KEY_FILE: keyFile, KEY_B: 'from-here' };
  const dev = await startDev(files, { env });
  await dev.until(lineOf('job', 'from-store-from-here'), 'both values');
  for (const pid of alive()) expect(commandOf(pid)).not.toContain('from-store');
  dev.cli.kill('SIGINT');
  expect((await dev.cli.ended).code).toBe(0);
}, 120_000);

test('a port that another program has, and a service that there is not, are said before anything starts', async () => {
  const file = 'project: shop\nservices:\n  api: { run: "sleep 600", routes: [/] }\n';
  const first = await startDev({ 'evenkeel.yaml': file });
  await first.until(({ type }) => type === 'open', 'the first');
  const second = await startDev({ 'evenkeel.yaml': file }, { args: ['--port', String(first.port)] });
  const { code, stdout } = await second.cli.ended;
  expect(code).toBe(1);
  expect(stdout).toContain('"code":"port-taken"');
  const third = await startDev({ 'evenkeel.yaml': file }, { args: ['apu'] });
  expect((await third.cli.ended).stdout).toContain('did you mean `evenkeel dev api`?');
  first.cli.kill('SIGINT');
  expect((await first.cli.ended).code).toBe(0);
}, 120_000);

function echoed(port: number, path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'echo' };
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false });
    asked.on('error', reject);
    asked.on('response', (answer) => reject(new Error(`answered ${answer.statusCode} instead of an upgrade`)));
    asked.on('upgrade', (_answer, socket) => {
      socket.on('data', (chunk) => {
        resolve(String(chunk));
        socket.destroy();
      });
      socket.write(text);
    });
    asked.end();
  });
}

function commandOf(pid: number): string {
  try {
    return isDead(processStat(pid)) ? '' : readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return ''; // it has ended
  }
}
