import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { draftProject } from '../../../src/config/init/draft-project.ts';
import { writeDraft } from '../../../src/config/init/write-draft.ts';
import { loadProject, readProject } from '../../../src/config/load-project.ts';
import type { ServiceConfig } from '../../../src/domain/project/project.ts';
import { tempDir } from '../../support/temp.ts';

function folder(files: Record<string, string>): string {
  const root = tempDir('init');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const json = (value: unknown): string => JSON.stringify(value);

/** Drafts, and reads the draft back. */
async function drafted(files: Record<string, string>) {
  const root = folder(files);
  const draft = await draftProject(root);
  const result = await readProject(draft.yaml, root, { environment: 'production', processEnv: {} });
  if (!result.ok) throw new Error(json(result.problems));
  const services = new Map<string, ServiceConfig>(result.project.services.map((service) => [service.name, service]));
  return { ...draft, project: result.project, services, get: (name: string) => services.get(name) };
}

describe('package.json', () => {
  test('start, build and migrate become one service', async () => {
    const { project, get, sources } = await drafted({
      'package.json': json({
        name: '@team/Shop_API',
        scripts: { start: 'node server.js', build: 'tsc', 'db:migrate': 'knex migrate:latest' },
        dependencies: { knex: '1' },
      }),
      'package-lock.json': '{}',
    });
    expect(project.name).toBe('shop-api');
    expect(get('shop-api')).toMatchObject({
      run: 'node server.js',
      build: 'npm ci && npm run build',
      migrate: 'npm run db:migrate',
      routes: [{ host: null, path: '/' }],
    });
    expect(sources).toEqual(['package.json']);
  });

  test('workspaces: programs become services, pages are served as files, libraries are named', async () => {
    const { services, get, notes } = await drafted({
      'package.json': json({ workspaces: ['apps/*', 'packages/**', '!apps/old', '../outside'] }),
      'pnpm-workspace.yaml': 'packages: ["tools/*"]\n',
      'pnpm-lock.yaml': '',
      'apps/api/package.json': json({ name: 'api', scripts: { start: 'tsx main.ts' }, dependencies: { tsx: '1' } }),
      'apps/web/package.json': json({ scripts: { build: 'vite build' }, devDependencies: { vite: '1' } }),
      'apps/old/package.json': json({ name: 'old', scripts: { start: 'node .' } }),
      'packages/deep/er/package.json': json({ name: 'lib' }),
      'packages/deep/node_modules/x/package.json': json({ name: 'x', scripts: { start: 'node .' } }),
      'tools/mail/package.json': json({ name: 'mail', scripts: { start: 'node mail.js', prestart: 'x' } }),
    });
    expect([...services.keys()].toSorted()).toEqual(['api', 'mail', 'web']);
    expect(get('web')).toMatchObject({
      kind: 'static',
      dir: 'apps/web',
      static: { dir: 'dist' },
      routes: [{ path: '/' }],
    });
    expect(get('api')).toMatchObject({
      dir: 'apps/api',
      build: 'pnpm install --frozen-lockfile',
      run: 'pnpm run start',
      routes: [{ path: '/api' }],
    });
    expect(notes.join('\n')).toContain('packages/deep/er has no `start` script');
  });

  test('what is run while one works on it is taken over, and told its port where it does not look for it', async () => {
    const of = async (scripts: Record<string, string>, lock = 'package-lock.json'): Promise<string | null> => {
      const files = { 'package.json': json({ name: 'app', scripts, devDependencies: { vite: '1' } }), [lock]: '' };
      return /^    dev: (.*?) +#/m.exec((await drafted(files)).yaml)?.[1] ?? null;
    };
    const told = '--host $HOST --port $PORT';
    expect(await of({ start: 'node main.js', dev: 'node --watch main.js' })).toBe('npm run dev');
    expect(await of({ build: 'vite build', dev: 'vite' })).toBe(`npm run dev -- ${told}`);
    expect(await of({ build: 'vite build', dev: 'vite' }, 'pnpm-lock.yaml')).toBe(`pnpm run dev ${told}`);
    expect(await of({ build: 'vite build', dev: 'vite --port $PORT' })).toBe('npm run dev');
    expect(await of({ start: 'node main.js' })).toBeNull();
    expect(await of({ start: 'node main.js', dev: 'node main.js' })).toBeNull();
  });

  test('a broken one is said to be so', async () => {
    const { notes, get } = await drafted({ 'package.json': '{' });
    expect(notes).toContain('package.json cannot be read as JSON');
    expect(get('web')).toBeDefined();
  });
});

test('Procfile: web, workers and release', async () => {
  const { get, notes, services } = await drafted({
    Procfile: 'web: gunicorn app --port ${PORT:-80} ${WORKERS:-2}\n# no\nworker: ./work\nrelease: ./migrate up\nwhat\n',
  });
  expect([...services.keys()]).toEqual(['web', 'worker']);
  expect(get('web')).toMatchObject({
    run: 'gunicorn app --port ${PORT:-80} ${WORKERS:-2}',
    migrate: './migrate up',
    routes: [{ path: '/' }],
  });
  expect(get('worker')).toMatchObject({ kind: 'worker', migrate: null });
  expect(notes).toEqual(['Procfile line 5 is not `name: command`']);
});

test.each([
  ['both forms', 'FROM x\nENTRYPOINT ["node", "--flag"]\nCMD ["main.js", "a b"]\n', "node --flag main.js 'a b'"],
  ['the form for the shell', 'FROM x\nCMD exec node \\\n  main.js\n', 'exec node    main.js'],
  ['sh -c', 'FROM x\nCMD ["sh", "-c", "node $FILE"]\n', 'node $FILE'],
  ['the last stage', 'FROM a AS build\nCMD ["no"]\nFROM b\ncmd ["yes"]\n', 'yes'],
  ['a here-document', 'FROM x\nRUN <<EOT\nCMD no\nEOT\nCMD yes\n', 'yes'],
  ['variables of the shell', 'FROM x\nCMD run ${A} $${B} ${PORT}\n', 'run ${A} $${B} ${PORT}'],
])('Dockerfile: %s', async (_, text, run) => {
  const { services, notes } = await drafted({ Dockerfile: `${text}EXPOSE 3000/tcp\n` });
  expect([...services.values()].map((service) => [service.run, service.routes.length])).toEqual([[run, 1]]);
  expect(notes.join('\n')).toContain('exposes 3000');
});

describe('compose', () => {
  const file = `
services:
  api:
    build: ./api
    ports: ["3000:3000"]
    environment:
      - DATABASE_URL=postgres://app:hunter2@db:5432/app
      - MODEL=http://model:9000/v1
      - MIXED=$HOME-\${Y}-\${Z:-1}-$$5
      - PORT=3000
      - FROM_HOST
    depends_on: { db: { condition: service_healthy }, model: { condition: service_started } }
    healthcheck: { test: ["CMD", "curl", "-f", "http://localhost:3000/health"] }
    deploy: { replicas: 3 }
    volumes: ["files:/files"]
  model:
    build: { context: . }
    command: ["node", "model.js", "it's"]
    depends_on: [api]
    environment: { API_KEY: hunter2, DEBUG: true, NOTHING: }
  gone: { build: ../elsewhere }
  db: { image: "docker.io/library/postgres:15-alpine" }
  proxy: { image: nginx }
`;

  test('what is built becomes services that know each other', async () => {
    const { get, services, project, notes, yaml } = await drafted({
      'compose.yaml': file,
      'api/Dockerfile': 'FROM node\nRUN npm ci\nENTRYPOINT ["node"]\nCMD ["dist/main.js"]\n',
      'api/package.json': json({ scripts: { build: 'tsc', migrate: 'x' }, dependencies: { a: '1' } }),
    });
    expect([...services.keys()].toSorted()).toEqual(['api', 'model']);
    expect(get('api')).toMatchObject({
      dir: 'api',
      run: 'node dist/main.js',
      build: 'npm install && npm run build',
      migrate: 'npm run migrate',
      health: { path: '/health' },
      routes: [{ path: '/' }],
      instances: 3,
      env: {
        DATABASE_URL: [{ secret: 'DATABASE_URL' }],
        MODEL: [{ serviceUrl: 'model' }, '/v1'],
        MIXED: ['--1-$5'],
        FROM_HOST: [''],
      },
    });
    expect(get('api')?.env).not.toHaveProperty('PORT');
    expect(get('model')).toMatchObject({ run: "node model.js 'it'\\''s'", env: { DEBUG: ['true'] } });
    expect([...services.values()].flatMap(({ after }) => after)).toHaveLength(1);
    expect(project.secrets).toEqual(['DATABASE_URL', 'API_KEY']);
    expect(yaml).toContain('#   db: { engine: postgres, version: 15');
    for (const words of [
      'volumes of `api`',
      'image nginx',
      'start `db`',
      'wait for each other',
      '`gone`',
      'secrets set API_KEY',
    ]) {
      expect(notes.join('\n')).toContain(words);
    }
    expect(yaml + notes.join()).not.toContain('hunter2');
  });

  test('one that cannot be read is said to be so', async () => {
    const { notes } = await drafted({ 'docker-compose.yml': 'services: [' });
    expect(notes).toContain('docker-compose.yml cannot be read');
  });
});

test('a folder of pages is served; one at the root is not, since that would serve everything', async () => {
  expect((await drafted({ 'public/index.html': '' })).get('web')).toMatchObject({ static: { dir: 'public' } });
  const { get, notes } = await drafted({ 'index.html': '' });
  expect(get('web')?.static).toBeNull();
  expect(notes.join('\n')).toContain('move the pages');
});

test('an empty folder gets a file to start from', async () => {
  const { get, sources, yaml } = await drafted({});
  expect(get('web')).toMatchObject({ run: 'node server.js' });
  expect(sources).toEqual([]);
  expect(yaml).toContain('# environments:');
});

test('the editor is pointed at the schema of the installed package', async () => {
  const { yaml } = await drafted({ 'node_modules/evenkeel/schema/evenkeel.schema.json': '{}' });
  expect(yaml.split('\n')[0]).toBe(
    '# yaml-language-server: $schema=./node_modules/evenkeel/schema/evenkeel.schema.json',
  );
});

describe('writing', () => {
  test('what was written is loaded from the disk', async () => {
    const root = folder({ Procfile: 'web: node .\n' });
    expect(await writeDraft(root)).toMatchObject({ ok: true, path: join(root, 'evenkeel.yaml') });
    expect(await loadProject({ root, processEnv: {} })).toMatchObject({ ok: true, warnings: [] });
  });

  test('a file that is there stays as it is', async () => {
    const root = folder({ 'evenkeel.yaml': 'mine' });
    expect(await writeDraft(root)).toMatchObject({ ok: false, code: 'exists' });
    expect(readFileSync(join(root, 'evenkeel.yaml'), 'utf8')).toBe('mine');
    expect(await writeDraft(root, { force: true })).toMatchObject({ ok: true });
  });

  test('a folder that cannot be written is said to be so', async () => {
    const root = join(folder({ file: '' }), 'file');
    expect(await writeDraft(root)).toMatchObject({ ok: false, code: 'unwritable' });
    expect(existsSync(join(root, 'evenkeel.yaml'))).toBe(false);
  });
});

test('a worker that shares the image of a server gets no route', async () => {
  const { get } = await drafted({
    Dockerfile: 'FROM node:24\nEXPOSE 3000\nCMD ["node", "web.js"]\n',
    'compose.yaml':
      'services:\n  web: { build: ., ports: ["80:3000"] }\n  worker: { build: ., command: node worker.js }\n',
  });
  expect(get('web')?.routes).toHaveLength(1);
  expect(get('worker')?.routes).toHaveLength(0);
});

test('what is only a beginning does not pretend to come from anywhere', async () => {
  const { yaml, sources } = await drafted({});
  expect(yaml).toContain('# Change it to the command that starts your program.');
  expect(yaml).not.toContain('# from');
  expect(sources).toEqual([]);
});

test('a name with accents keeps its letters', async () => {
  const { project } = await drafted({ 'package.json': json({ name: 'Bücher-Café', scripts: { start: 'node a.js' } }) });
  expect(project.name).toBe('bucher-cafe');
});
