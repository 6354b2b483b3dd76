import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JournalView, RolloutView } from '../../src/api/contract/rollouts.ts';
import { begin } from '../support/bad/command.ts';
import { errorOf, told } from '../support/bad/shared-system.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { openSystem, projectFolder, writeFiles } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

/** The way that docs/migrations.md shows: expand, deploy, window, contract; and what is refused on it. */

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 300_000);
afterAll(() => server.stop());

const PG = createRequire(import.meta.url).resolve('pg');

/** Answers with a user's name, read from this column at every request. */
const program = (version: string, column: string, url: string): string => `
const { Pool } = require('${PG}');
const pool = new Pool({ connectionString: require('node:fs').readFileSync('${url}', 'utf8'), max: 2 });
pool.on('error', () => undefined);
require('node:http')
  .createServer(async (request, response) => {
    response.setHeader('x-app-version', '${version}');
    try {
      const { rows } = await pool.query('select ${column} as name from users');
      response.end(rows[0].name);
    } catch (error) {
      response.statusCode = 500;
      response.end(String(error));
    }
  })
  .listen(process.env.PORT, '127.0.0.1');
`;

/** Runs the files of a folder that were not run yet, each in a transaction, as such tools do. */
const migrator = (url: string): string => `
const { Client } = require('${PG}');
const { readdirSync, readFileSync } = require('node:fs');
(async () => {
  const client = new Client({ connectionString: readFileSync('${url}', 'utf8') });
  await client.connect();
  await client.query('create table if not exists applied (name text primary key)');
  for (const name of readdirSync(process.argv[2]).sort()) {
    const { rowCount } = await client.query('select 1 from applied where name = $1', [name]);
    if (rowCount > 0) continue;
    await client.query('begin');
    await client.query(readFileSync(process.argv[2] + '/' + name, 'utf8'));
    await client.query('insert into applied values ($1)', [name]);
    await client.query('commit');
    console.log('ran ' + name);
  }
  await client.end();
})().catch((error) => { console.error(String(error)); process.exit(1); });
`;

const file = (port: number): string => `project: shop
port: ${port}
services:
  api:
    run: node main.js
    migrate: node migrate.cjs migrations
    migrations: refuse
    contract: node migrate.cjs contract
    routes: [/]
    health: { path: /, interval: 100ms }
environments:
  development:
    rollout: { rollbackWindow: 2s, drain: 1s }
`;

test(
  'expand, deploy, window, contract: nobody fails on the way, and what would have failed is refused',
  { timeout: 120_000 },
  async () => {
    const system = openSystem();
    const database = await server.newDatabase();
    const sql = (text: string) => server.sql(database, text);
    const columns = async (): Promise<string[]> =>
      (await sql(`select column_name from information_schema.columns where table_name = 'users' order by 1`)).map(
        (row) => String(row['column_name']),
      );
    const url = join(tempDir('url'), 'url');
    writeFileSync(url, server.url(database));
    const port = await freePort();
    const root = projectFolder({
      'evenkeel.yaml': file(port),
      'main.js': program('v1', 'full_name', url),
      'migrate.cjs': migrator(url),
      'migrations/001.sql': `create table users (full_name text); insert into users values ('Ada');`,
    });
    writeFiles(root, { 'contract/000.sql': '-- nothing yet\n' });
    const cli = (...args: string[]) => system.cli(args, { cwd: root });
    const visit = async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/`);
      return { status: reply.status, version: reply.headers.get('x-app-version'), body: await reply.text() };
    };

    const up = await cli('up', '--wait', 'complete');
    expect(up.code, told(up)).toBe(0);
    expect(await visit()).toMatchObject({ status: 200, body: 'Ada' });

    // The new name in one step: the release that serves would have no column to read.
    writeFiles(root, {
      'main.js': program('v2', 'name', url),
      'migrations/002.sql': '-- a better name\nALTER TABLE users RENAME COLUMN full_name TO name;\n',
    });
    const refused = await cli('deploy');
    expect(refused.code, told(refused)).toBe(1);
    for (const said of [
      'the new migrations may break api@1 (api), so nothing was begun',
      'migrations/002.sql:2 calls the column users.full_name name',
      'named in main.js:9',
      'add the new one beside it and fill both (expand)',
      '--allow-breaking-migrations',
    ])
      expect(told(refused)).toContain(said);
    expect(errorOf(await cli('deploy', '--json')).code).toBe('migration-breaking');
    const checked = await cli('check', '--env', 'development', '--json');
    expect(JSON.parse(checked.stdout)).toMatchObject({
      ok: true,
      migrations: [
        {
          verdict: 'refuse',
          reports: [{ running: 'api@1', findings: [{ code: 'rename' }, { code: 'no-lock-timeout' }] }],
        },
      ],
    });
    const { rollouts: before } = await system.get<{ rollouts: RolloutView[] }>('/api/v1/rollouts?project=shop');
    expect(before).toHaveLength(1);
    expect(await visit()).toMatchObject({ status: 200, version: 'v1' });
    expect(await columns()).toEqual(['full_name']);

    // In two: beside the old one first, and the old one away when nobody needs it.
    writeFiles(root, {
      'migrations/002.sql': `SET lock_timeout = '5s';
ALTER TABLE users ADD COLUMN name text;
UPDATE users SET name = full_name WHERE name IS NULL;
`,
      'contract/002-contract.sql': 'ALTER TABLE users DROP COLUMN full_name;\n',
    });
    const seen: { status: number; version: string | null }[] = [];
    let visiting = true;
    const visitor = (async () => {
      for (; visiting; await sleep(10)) seen.push(await visit());
    })();
    const deploy = begin(system.env, ['deploy', '--wait', 'complete'], root);
    await waitFor(async () => (await columns()).length === 2, { what: 'both columns', timeout: 60_000 });
    const shipped = await deploy.ended;
    visiting = false;
    await visitor;
    expect(shipped.code, told(shipped)).toBe(0);
    expect(shipped.stdout).toContain('contracted api@2');
    expect(await columns()).toEqual(['name']);
    expect(await sql(`select count(*)::int as count from applied where name = '002-contract.sql'`)).toEqual([
      { count: 1 },
    ]);
    expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(seen.map(({ version }) => version))).toEqual(new Set(['v1', 'v2']));

    const back = await cli('rollback', 'api', '--json');
    expect(errorOf(back).code).toBe('past-contract');
    expect(await visit()).toMatchObject({ status: 200, version: 'v2', body: 'Ada' });

    // Whoever insists is heard, and the story says what was known.
    writeFiles(root, {
      'migrations/003.sql': `SET lock_timeout = '5s';\nALTER TABLE users ALTER name SET NOT NULL;\n`,
    });
    const insisted = await cli('deploy', '--allow-breaking-migrations');
    expect(insisted.code, told(insisted)).toBe(0);
    expect(insisted.stdout).toContain('lets users.name be NULL no more');
    const { rollouts } = await system.get<{ rollouts: RolloutView[] }>('/api/v1/rollouts?project=shop&limit=1');
    const { entries } = await system.get<{ entries: JournalView[] }>(`/api/v1/rollouts/${rollouts[0]?.id}/story`);
    expect(entries[0]).toMatchObject({
      reason: expect.stringContaining('allowed by hand'),
      detail: { migrations: [{ service: 'api', findings: [{ code: 'set-not-null', severity: 'breaking' }] }] },
    });
    await system.stop();
  },
);
