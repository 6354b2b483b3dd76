import { request, type IncomingHttpHeaders } from 'node:http';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { RunOptions } from '../../src/emulator/run/options.ts';
import type { Emulator, EmulatorOptions } from '../../src/emulator/emulator.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { ask, emulated, type Answer } from './emulated.ts';

export const PARENT = '/v2/projects/demo-project/locations/europe-west1';

/** A program that says who it is, and does what it is asked to. */
export const PROGRAM = `
const http = require('node:http');
const { createHash } = require('node:crypto');
console.log(JSON.stringify({ severity: 'INFO', message: 'started', revision: process.env.K_REVISION }));
const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  if (url.pathname === '/exit') return process.exit(3);
  if (url.pathname === '/slow') return void setTimeout(() => response.end('slow'), Number(url.searchParams.get('ms')));
  if (url.pathname === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: one\\n\\n');
    return;
  }
  if (url.pathname === '/status') response.statusCode = Number(url.searchParams.get('code'));
  if (url.pathname === '/say') console.error(url.searchParams.get('text'));
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () =>
    response.end(JSON.stringify({ pid: process.pid, env: process.env, headers: request.headers, method: request.method, body })),
  );
});
server.on('upgrade', (request, socket) => {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
  socket.pipe(socket);
});
server.listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`;

export interface Running {
  emulator: Emulator;
  /** Builds an image under a tag; the answer is its reference. */
  image: (name: string, files?: Record<string, string>) => Promise<string>;
}

/** An emulator with Cloud Run, patient enough for a test. */
export async function running(
  options: Partial<RunOptions> = {},
  more: Partial<EmulatorOptions> = {},
): Promise<Running> {
  const run = { idleMs: 60_000, startupMs: 20_000, graceMs: 2_000, ...options };
  const on = ['run', 'secretmanager', 'iam', 'cloudbuild', 'artifactregistry', 'sqladmin'];
  const emulator = await emulated({ on, run, ...more });
  const image = async (name: string, files: Record<string, string> = {}) => {
    const context = tempDir('context');
    const all = {
      Dockerfile: 'FROM node:24\nWORKDIR /app\nCOPY . .\nCMD ["node", "main.js"]\n',
      'main.js': PROGRAM,
      ...files,
    };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(context, path)), { recursive: true });
      writeFileSync(join(context, path), text);
    }
    const reference = `europe-west1-docker.pkg.dev/demo-project/apps/${name}`;
    const end = await ended(emulator, await build(emulator, context, { images: [reference] }), 'cloudbuild', 'v1');
    expect(end.error).toBeUndefined();
    return reference;
  };
  return { emulator, image };
}

/** Makes a bucket for sources and a repository for images, as a set-up does. */
async function prepared(emulator: Emulator): Promise<void> {
  const { state } = emulator.world;
  if (state.table('storage.buckets').has('demo-sources')) return;
  const bucket = await ask(emulator, 'POST', 'storage', '/storage/v1/b?project=demo-project', {
    body: { name: 'demo-sources' },
  });
  expect(bucket.status).toBe(200);
  const parent = '/v1/projects/demo-project/locations/europe-west1/repositories';
  await ask(emulator, 'POST', 'artifactregistry', `${parent}?repositoryId=apps`, { body: { format: 'DOCKER' } });
  await waitFor(async () => (await ask(emulator, 'GET', 'artifactregistry', `${parent}/apps`)).status === 200, {
    what: 'the repository',
  });
}

/** Uploads a folder and has it built: `docker build` with all of the images' names, unless `over` says otherwise. */
export async function build(
  emulator: Emulator,
  context: string,
  over: { images?: string[]; [key: string]: unknown },
): Promise<Answer> {
  await prepared(emulator);
  const archive = `${context}.tar.gz`;
  execFileSync('tar', ['-czf', archive, '-C', context, '.']);
  const object = `${randomUUID()}.tar.gz`;
  const upload = `/upload/storage/v1/b/demo-sources/o?uploadType=media&name=${object}`;
  const stored = await ask(emulator, 'POST', 'storage', upload, {
    body: readFileSync(archive),
    headers: { 'content-type': 'application/gzip' },
  });
  rmSync(archive);
  expect(stored.status).toBe(200);
  const tags = (over.images ?? []).flatMap((image) => ['-t', image]);
  const body = {
    source: { storageSource: { bucket: 'demo-sources', object } },
    steps: [{ name: 'gcr.io/cloud-builders/docker', args: ['build', ...tags, '.'] }],
    ...over,
  };
  return ask(emulator, 'POST', 'cloudbuild', '/v1/projects/demo-project/builds', { body });
}

/** The operation's end. */
export async function ended(
  emulator: Emulator,
  operation: Answer,
  api = 'run',
  version = 'v2',
): Promise<Answer['body']> {
  expect(operation.body).not.toHaveProperty('error.code');
  expect(operation.status).toBe(200);
  return waitFor(
    async () => {
      const { body } = await ask(emulator, 'GET', api, `/${version}/${operation.body.name}`);
      return body.done === true ? body : null;
    },
    { what: `the end of ${operation.body.name}`, timeout: 30_000 },
  );
}

export const create = async (emulator: Emulator, id: string, body: object): Promise<Answer['body']> =>
  ended(emulator, await ask(emulator, 'POST', 'run', `${PARENT}/services?serviceId=${id}`, { body }));

export const patch = async (emulator: Emulator, id: string, body: object, query = ''): Promise<Answer['body']> =>
  ended(emulator, await ask(emulator, 'PATCH', 'run', `${PARENT}/services/${id}${query}`, { body }));

export const service = async (emulator: Emulator, id: string): Promise<Answer['body']> =>
  (await ask(emulator, 'GET', 'run', `${PARENT}/services/${id}`)).body;

/** Lets everybody call a service. */
export const open = async (emulator: Emulator, id: string): Promise<void> => {
  const policy = { bindings: [{ role: 'roles/run.invoker', members: ['allUsers'] }] };
  const { status } = await ask(emulator, 'POST', 'run', `${PARENT}/services/${id}:setIamPolicy`, { body: { policy } });
  expect(status).toBe(200);
};

export interface Fetched {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- what the program of a test says of itself
  json: any;
}

/** Asks a service by its URL, through the emulator's port. */
export const call = (
  emulator: Emulator,
  url: string,
  { method = 'GET', body, headers = {} }: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Fetched> =>
  new Promise((resolve, reject) => {
    const { host, pathname, search } = new URL(url);
    const sent = request(`${emulator.url}${pathname}${search}`, {
      method,
      headers: { ...headers, host },
      agent: false,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const parts: Buffer[] = [];
      response.once('error', reject);
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () => {
        const text = Buffer.concat(parts).toString();
        const json = text.startsWith('{') ? JSON.parse(text) : null;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    sent.end(body);
  });
