import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorOf, sharedSystem, told } from '../support/bad/shared-system.ts';
import { visitors } from '../support/bad/visitors.ts';
import { json, newest, run, service } from '../support/features/command.ts';
import { HEALTH, server } from '../support/features/programs.ts';
import { ask } from '../support/features/visitor.ts';
import { projectFolder, writeFiles } from '../support/system.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

const envOf = async (port: number, path = '/env'): Promise<Record<string, string>> =>
  JSON.parse((await ask(port, path)).body) as Record<string, string>;

/** Files below the home and command lines of all processes that hold a text. */
function whereIs(text: string): string[] {
  const files = (readdirSync(system.paths.home, { recursive: true, withFileTypes: true }) ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => holds(file, text));
  const commands = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => `/proc/${pid}/cmdline`)
    .filter((file) => holds(file, text));
  return [...files, ...commands];
}

function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file).includes(text);
  } catch {
    return false; // gone meanwhile
  }
}

describe('secrets', { timeout: 120_000 }, () => {
  test('reach the program and nothing else, and a restart brings a new value without an interruption', async () => {
    const port = await freePort();
    const root = projectFolder({
      'evenkeel.yaml': `
project: hushed
port: ${port}
secrets: [SESSION_KEY]
services:
  api:
    build: node -e "console.log('building'); require('fs').writeFileSync('made.js', require('fs').readFileSync('main.js'))"
    migrate: node -e "if (!process.env.KEY) process.exit(1)"
    smoke: { run: "node -e 'if (!process.env.KEY) process.exit(1)'" }
    run: node made.js
    routes: [/]
    env: { KEY: "\${SESSION_KEY}", ADDRESS: "db://user:\${SESSION_KEY}@host/x" }
    ${HEALTH}
`,
      'main.js': server('v1'),
    });
    const missing = await run(system, root, ['up', '--json'], { code: 1 });
    expect(errorOf(missing)).toMatchObject({ next: expect.stringContaining('secrets set SESSION_KEY') });
    expect(told(missing)).not.toContain('r_');

    const planted = `planted-${'0123456789abcdef'.repeat(2)}`;
    const said = [await run(system, root, ['secrets', 'set', 'SESSION_KEY'], { input: `${planted}\n` })];
    said.push(await run(system, root, ['secrets', 'list', '--json']));
    expect(said[1]?.stdout).toContain('"SESSION_KEY"');
    said.push(await run(system, root, ['up']));
    expect(await envOf(port)).toMatchObject({ KEY: planted, ADDRESS: `db://user:${planted}@host/x` });

    const rotated = `rotated-${'fedcba9876543210'.repeat(2)}`;
    said.push(await run(system, root, ['secrets', 'set', 'SESSION_KEY'], { input: rotated }));
    expect(await envOf(port)).toMatchObject({ KEY: planted });
    const load = visitors(port);
    said.push(await run(system, root, ['restart', 'api']));
    expect(await envOf(port)).toMatchObject({ KEY: rotated });
    expect([...(await load.stop()).statuses.keys()]).toEqual([200]);

    for (const args of [['status'], ['rollouts'], ['releases'], ['logs'], ['check']])
      said.push(await run(system, root, [...args, '--json']));
    said.push(await run(system, root, ['rollouts', 'show', (await newest(system, root)).rollout.id, '--json']));
    for (const value of [planted, rotated]) {
      expect(whereIs(value)).toEqual([]);
      for (const each of said) expect(told(each)).not.toContain(value);
    }
    expect(readFileSync(system.paths.secretsFile, 'utf8')).toContain('SESSION_KEY');

    const refused = await run(system, root, ['secrets', 'remove', 'SESSION_KEY', '--json'], { code: 1 });
    expect(errorOf(refused)).toMatchObject({ code: 'secret-needed', what: expect.stringContaining('api@') });
    expect(await json(system, root, ['secrets', 'list'])).toMatchObject({
      secrets: [{ name: 'SESSION_KEY', setBy: expect.any(String), usedBy: ['api'], behind: [] }],
    });
    await run(system, root, ['secrets', 'set', 'SPARE'], { input: 'of no use to anybody' });
    await run(system, root, ['secrets', 'remove', 'SPARE']);
    const twice = await run(system, root, ['secrets', 'remove', 'SPARE', '--json'], { code: 1 });
    expect(errorOf(twice)).toMatchObject({ code: 'secret-unknown' });
    const typed = await run(system, root, ['secrets', 'set', 'SESSION_KEY=abc', '--json'], { code: 1 });
    expect(errorOf(typed).what).toContain('does not belong on the command line');
    // What runs goes on with what it has.
    expect(await envOf(port)).toMatchObject({ KEY: rotated });
  });
});

describe('environments', { timeout: 120_000 }, () => {
  test('of one project run side by side, each with its own variables, secrets and data', async () => {
    const [development, staging] = [await freePort(), await freePort()];
    const root = projectFolder({
      'evenkeel.yaml': `
project: sides
secrets: [TOKEN]
services:
  api:
    run: node main.js
    routes: [/]
    data: [kept]
    env: { GREETING: "\${GREETING}", COLOUR: "\${COLOUR:-none}", TOKEN: "\${TOKEN}" }
    ${HEALTH}
environments:
  development: { port: ${development} }
  staging: { port: ${staging}, bind: 127.0.0.1, env: { LEVEL: high } }
`,
      '.env': 'GREETING=hello\nCOLOUR=green\n',
      '.env.staging': 'GREETING="good day"\n',
      'main.js': server(
        'v1',
        `const { appendFileSync, readFileSync } = require('node:fs');
appendFileSync('kept/starts', process.env.EVENKEEL_INSTANCE + '\\n');
paths['/starts'] = (request, response) => response.end(readFileSync('kept/starts'));`,
      ),
    });
    await run(system, root, ['secrets', 'set', 'TOKEN'], { input: 'one' });
    await run(system, root, ['secrets', 'set', 'TOKEN', '--env', 'staging'], { input: 'two' });
    await run(system, root, ['up']);
    await run(system, root, ['up', '--env', 'staging']);
    expect(await envOf(development)).toMatchObject({
      GREETING: 'hello',
      COLOUR: 'green',
      TOKEN: 'one',
      EVENKEEL_ENVIRONMENT: 'development',
    });
    expect(await envOf(development)).not.toHaveProperty('LEVEL');
    expect(await envOf(staging)).toMatchObject({
      GREETING: 'good day',
      COLOUR: 'green',
      TOKEN: 'two',
      LEVEL: 'high',
      EVENKEEL_ENVIRONMENT: 'staging',
    });
    // Data outlives a release, and belongs to one environment.
    await run(system, root, ['deploy', 'api']);
    const starts = async (port: number): Promise<string[]> => (await ask(port, '/starts')).body.trim().split('\n');
    expect(await starts(development)).toHaveLength(2);
    expect(await starts(staging)).toHaveLength(1);

    await run(system, root, ['down', '--env', 'staging', '--yes']);
    expect((await ask(staging)).status).not.toBe(200);
    expect(await ask(development)).toMatchObject({ status: 200 });
    await run(system, root, ['up', '--env', 'staging']);
    expect(await ask(staging)).toMatchObject({ status: 200 });
    expect(await starts(staging)).toHaveLength(2);
  });

  test('of two projects share a port by their hosts, and a route that is taken says whose it is', async () => {
    const port = await freePort();
    const project = (name: string, route: string): string =>
      projectFolder({
        'evenkeel.yaml': `project: ${name}\nport: ${port}\nservices:\n  web: { run: node main.js, routes: [${route}], ${HEALTH} }\n`,
        'main.js': server(name),
      });
    const first = project('first', 'a.localhost');
    await run(system, first, ['up']);
    await run(system, project('second', 'b.localhost'), ['up']);
    expect((await ask(port, '/', { host: 'a.localhost' })).body).toBe('web first');
    expect((await ask(port, '/', { host: 'b.localhost' })).body).toBe('web second');
    const refused = await run(system, project('third', 'a.localhost'), ['up'], { code: 1 });
    expect(refused.stderr).toMatch(/the route a\.localhost:\d+\/.*is taken by first\/development\/web/);
    expect((await ask(port, '/', { host: 'a.localhost' })).body).toBe('web first');
    const all = await json<{ environments: { project: string }[] }>(system, '/', ['status']);
    expect(all.environments.map((each) => each.project)).toEqual(expect.arrayContaining(['first', 'second', 'sides']));
  });

  test('give a program what it is told to get, and nothing of who started it', async () => {
    const port = await freePort();
    const root = projectFolder({
      'evenkeel.yaml': `project: bare\nport: ${port}\nservices:\n  api: { run: exec node main.js, routes: [/], env: { OWN: "1" }, ${HEALTH} }\n`,
      'main.js': server('v1'),
    });
    system.env['AWS_SECRET_ACCESS_KEY'] = 'of-the-caller';
    system.env['NODE_OPTIONS'] = '--no-deprecation';
    await run(system, root, ['up']);
    delete system.env['AWS_SECRET_ACCESS_KEY'];
    delete system.env['NODE_OPTIONS'];
    const env = await envOf(port);
    const known =
      /^(PORT|HOST|OWN|PATH|HOME|USER|LOGNAME|LANG|LC_ALL|TZ|TMPDIR|PWD|SHLVL|_|OLDPWD|EVENKEEL_(PROJECT|ENVIRONMENT|SERVICE|RELEASE|INSTANCE|FOLDER))$/;
    expect(Object.keys(env).filter((name) => !known.test(name))).toEqual([]);
    const [instance] = (await service(system, root, 'api')).instances;
    expect(env).toMatchObject({
      PORT: String(instance?.port),
      HOST: '127.0.0.1',
      EVENKEEL_PROJECT: 'bare',
      EVENKEEL_RELEASE: 'api@1',
    });
  });

  test('name memory as the reason when a program took more than it may', async () => {
    const port = await freePort();
    const file = `project: greedy\nport: ${port}\nservices:\n  api: { run: node main.js, routes: [/], resources: { memory: 96Mi }, ${HEALTH} }\n`;
    const root = projectFolder({ 'evenkeel.yaml': file, 'main.js': server('v1') });
    await run(system, root, ['up']);
    writeFiles(root, {
      'main.js': 'const all = []; setInterval(() => all.push(Buffer.alloc(16 * 1024 * 1024, 1)), 5);',
    });
    const failed = await run(system, root, ['deploy', 'api'], { code: 2 });
    expect(failed.stdout).toMatch(/api@2 .*: it ended \d times in a row: running out of memory/);
    expect(await ask(port)).toMatchObject({ status: 200, body: 'api v1' });
  });
});
