import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ServiceStatus } from '../../src/api/contract/status.ts';
import { errorOf, sharedSystem, told } from '../support/bad/shared-system.ts';
import { type CliResult, pathOf } from '../support/evenkeel-home.ts';
import { json, newest, run, service } from '../support/features/command.ts';
import { HEALTH, server } from '../support/features/programs.ts';
import { ask } from '../support/features/visitor.ts';
import { projectFolder, writeFiles } from '../support/system.ts';
import { readToken } from '../../src/platform/tokens.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

/** Looks like what people plant in real ones, and is found nowhere by chance. */
const plant = (name: string): string =>
  `${name}/${randomBytes(9).toString('base64url')}+"${randomBytes(6).toString('hex')}`;

/** As a value may look wherever it was carried over. */
function forms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ];
}

const holds = (content: string | Buffer, values: readonly string[]): boolean =>
  values.flatMap(forms).some((form) => content.includes(form));

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0); // gone meanwhile, or a socket
  }
}

/** Files below the home that hold one of the values, relative to it. */
const filesWith = (values: readonly string[]): string[] =>
  readdirSync(system.paths.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => holds(read(file), values))
    .map((file) => relative(system.paths.home, file));

const processesWith = (what: 'cmdline' | 'environ', values: readonly string[]): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && holds(read(`/proc/${entry}/${what}`), values))
    .map(Number);

/** A request to the API as no client of ours would make it. */
async function raw(method: string, path: string, body: string): Promise<string> {
  const token = await readToken(system.paths.token);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: system.paths.controllerSocket,
        method,
        path,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(`${response.statusCode} ${text}`));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

const PRINTS = `node -e "
const key = process.env.KEY;
const all = [key, encodeURIComponent(key), JSON.stringify({ key }), Buffer.from(key).toString('base64'),
  Buffer.from('app:' + key).toString('base64'), Buffer.from(key).toString('hex'), process.env.ADDRESS];
for (const each of all) console.error('cannot log in with ' + each);
process.exit(3)"`;

const file = (port: number, { build = 'true', migrate = 'true', run: command = 'node main.js' } = {}): string => `
project: planted
port: ${port}
secrets: [SESSION_KEY, DB_PASSWORD]
services:
  api:
    build: ${JSON.stringify(build)}
    migrate: ${JSON.stringify(migrate)}
    run: ${JSON.stringify(command)}
    routes: [/]
    env: { KEY: "\${SESSION_KEY}", ADDRESS: "db://app:\${DB_PASSWORD}@host/x" }
    ${HEALTH}
  other: { run: node main.js, routes: [/other], ${HEALTH} }
`;

describe('planted secrets', { timeout: 180_000 }, () => {
  test('are in nothing that a whole run writes, says or answers, but in the log of the program that printed them', async () => {
    const port = await freePort();
    const root = projectFolder({ 'evenkeel.yaml': file(port), 'main.js': server('v1') });
    const said: CliResult[] = [];
    const cli = async (args: string[], options: { code?: number; input?: string } = {}): Promise<CliResult> => {
      const result = await run(system, root, args, options);
      said.push(result);
      return result;
    };
    const [first, password, rotated, imported] = ['first', 'password', 'rotated', 'imported'].map(plant) as [
      string,
      string,
      string,
      string,
    ];
    const values = [first, password, rotated, imported];
    const quoted = (value: string): string => `'${value}'`;

    // Nothing of a bad file is stored.
    const bad = `SESSION_KEY=${quoted(first)}\nthis is no line ${imported}\nlower=${imported}\n`;
    const refused = await cli(['secrets', 'import', '-', '--json'], { code: 1, input: bad });
    expect(errorOf(refused)).toMatchObject({ code: 'secrets-import-bad', why: expect.stringContaining('line 2') });
    await cli(['secrets', 'set', 'SESSION_KEY=not-planted'], { code: 1 });

    writeFileSync(
      join(root, '.env.given'),
      `SESSION_KEY=${quoted(first)}\nexport DB_PASSWORD=${quoted(password)} # x\n`,
    );
    const given = await cli(['secrets', 'import', '.env.given']);
    expect(given.stdout).toContain('SESSION_KEY, DB_PASSWORD are set');
    await cli(['up']);
    const env = async (): Promise<Record<string, string>> =>
      JSON.parse((await ask(port, '/env')).body) as Record<string, string>;
    expect(await env()).toMatchObject({ KEY: first, ADDRESS: `db://app:${password}@host/x` });

    // A rotation brings the new value by a rollout of those that use it, and of nobody else.
    const set = await cli(['secrets', 'set', 'SESSION_KEY', '--rollout', '--json'], { input: `${rotated}\n` });
    expect(JSON.parse(set.stdout.split('\n')[0] ?? '')).toEqual({
      type: 'secrets',
      changed: ['SESSION_KEY'],
      unchanged: [],
      behind: ['api'],
      rollout: true,
    });
    expect(await env()).toMatchObject({ KEY: rotated });
    expect((await newest(system, root)).rollout).toMatchObject({
      end: null,
      reason: expect.any(String),
      services: [{ service: 'api', to: 'api@2' }],
    });
    expect((await newest(system, root)).entries[0]?.reason).toContain('SESSION_KEY has a new value');
    expect((await cli(['up'])).stdout).toContain('nothing changed');

    // A value that is set and not rolled out reaches nobody, a crash included; `up` would bring it.
    await cli(['secrets', 'set', 'SESSION_KEY'], { input: imported });
    const twice = await cli(['secrets', 'set', 'SESSION_KEY', '--json'], { input: imported });
    expect(JSON.parse(twice.stdout)).toMatchObject({ changed: [], unchanged: ['SESSION_KEY'], behind: ['api'] });
    const [before] = (await service(system, root, 'api')).instances;
    if (before?.pid === null || before === undefined) throw new Error('api runs');
    process.kill(before.pid, 'SIGKILL');
    await expect
      .poll(
        async () => (await service(system, root, 'api')).instances.map(({ restarts, healthy }) => [restarts, healthy]),
        {
          timeout: 30_000,
        },
      )
      .toContainEqual([1, true]);
    expect(await env()).toMatchObject({ KEY: rotated });
    const listed = await json<{ secrets: { name: string; behind: string[] }[] }>(system, root, ['secrets', 'list']);
    expect(listed.secrets.map(({ name, behind }) => [name, behind])).toEqual([
      ['DB_PASSWORD', []],
      ['SESSION_KEY', ['api']],
    ]);

    // Going back within the window is to the value that the former release was verified with.
    await cli(['rollback', 'api']);
    expect(await env()).toMatchObject({ KEY: first });

    // Errors of a build, of a job and of an instance that print what they were given.
    for (const part of ['run', 'migrate', 'build']) {
      writeFiles(root, { 'evenkeel.yaml': file(port, { [part]: PRINTS }) });
      const failed = await cli(['deploy', 'api'], { code: 2 });
      expect(failed.stdout).toContain('cannot log in with •••');
      const { rollout } = await newest(system, root);
      await cli(['rollouts', 'show', rollout.id, '--json']);
    }
    const logs = await cli(['logs', 'api', '--job', 'build']);
    expect(logs.stdout.match(/cannot log in with .*•••/g)).toHaveLength(7);
    // A search that would tell what a secret begins with finds nothing.
    const searched = await cli(['logs', 'api', '--job', 'build', '--grep', '^cannot log in with imp']);
    expect(searched.stdout).not.toContain('cannot log in');
    for (const args of [['status', '--json'], ['rollouts'], ['releases'], ['secrets', 'list'], ['doctor', '--json']])
      await cli(args);
    const needed = await cli(['secrets', 'remove', 'SESSION_KEY', '--json'], { code: 1 });
    expect(errorOf(needed)).toMatchObject({ code: 'secret-needed', what: expect.stringContaining('api@1') });

    const scope = 'project=planted&environment=development';
    const here = pathOf('planted', 'development');
    const looks = ['server', 'status', `status?${scope}`, `rollouts?${scope}`].map((path) => `/api/v1/${path}`);
    const answers = [
      ...(await Promise.all(
        [...looks, `${here}/releases`, `${here}/secrets`].map(async (path) => JSON.stringify(await system.get(path))),
      )),
      await raw('POST', `${here}/secrets`, `{"secrets":{"A":"${first}`),
      await raw('POST', `${here}/secrets`, JSON.stringify({ secrets: { bad: rotated } })),
      await raw('POST', `${here}/secrets`, JSON.stringify({ secrets: { A: [imported] } })),
    ];
    for (const answer of answers) expect(holds(answer, values)).toBe(false);
    for (const each of said) expect(holds(told(each), values), told(each)).toBe(false);

    // What a program itself wrote is in its own log. That these are found shows that the search sees.
    const files = filesWith(values);
    expect(files.filter((each) => !/^logs\/(jobs|instances)\/planted\/development\//.test(each))).toEqual([]);
    expect(files.filter((each) => each.startsWith('logs/jobs/'))).toHaveLength(2);
    expect(files.filter((each) => each.startsWith('logs/instances/')).length).toBeGreaterThan(0);
    expect(processesWith('cmdline', values)).toEqual([]);

    const pids = (status: ServiceStatus): number[] => status.instances.flatMap(({ pid }) => pid ?? []);
    const mine = pids(await service(system, root, 'api'));
    const others = pids(await service(system, root, 'other'));
    const { keeper, controller, edge } = await system.keeperInfo();
    const own = [keeper, controller, edge].flatMap((each) => each?.pid ?? []);
    const having = processesWith('environ', values);
    expect(own).toHaveLength(3);
    expect(having).toEqual(expect.arrayContaining(mine));
    expect(having.filter((pid) => [...own, ...others].includes(pid))).toEqual([]);
    for (const pid of [...own, ...mine, ...others])
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 /m);
  });
});
