import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { CHAT_SECRET, launch } from '../support/chat-system.ts';
import { copyDigitwin, installDigitwin, prisma, startDigitwin } from '../support/cloud/digitwin.ts';
import { waitFor } from '../support/wait.ts';

const SECRETS = { JWT_SECRET: CHAT_SECRET, REFRESH_SECRET: `${CHAT_SECRET}-too` };

async function ask(
  url: string,
  body?: object,
  token?: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { connection: 'close', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function startAll() {
  const folder = copyDigitwin();
  await installDigitwin(folder);
  const [faces, sockets] = await Promise.all([
    startDigitwin(folder, 'face-processing-service'),
    startDigitwin(folder, 'websocket-server', SECRETS),
  ]);
  const api = await startDigitwin(folder, 'api-gateway', {
    ...SECRETS,
    WEBSOCKET_URL: sockets.url,
    FACE_PROCESSING_SERVICE_URL: faces.url,
    GCS_BUCKET_FACES: 'clone-faces-test',
    DATABASE_HOST: '/cloudsql/p:r:i',
  });
  return { folder, api, sockets, faces };
}

test('property 23: the services of the example find each other: a twin is made, and whoever listens is told', async () => {
  const { api, sockets } = await startAll();
  const { body: tokens } = await ask(`${api.url}/api/sign-in`, { name: 'ada' });
  const access = String(tokens['access']);

  const socket = new WebSocket(`${sockets.url.replace('http', 'ws')}/ws?token=${access}`);
  const events: string[] = [];
  socket.on('message', (data: Buffer) => events.push(data.toString()));
  await new Promise((resolve) => socket.once('open', resolve));

  const made = await ask(`${api.url}/api/twins`, { name: 'me', pixels: [0, 255, 255, 255] }, access);
  expect(made).toMatchObject({ status: 200, body: { owner: 'ada', name: 'me', face: [0.25, 0, 0, 0, 0, 0, 0, 0.75] } });
  await waitFor(() => events.length > 0, { what: 'the event' });
  expect(JSON.parse(events[0] ?? '')).toEqual({ event: 'twin', id: made.body['id'] });
  expect((await ask(`${api.url}/api/twins`, undefined, access)).body).toMatchObject([{ name: 'me' }]);

  const closed = new Promise((resolve) => socket.once('close', (code: number) => resolve(code)));
  sockets.child.kill('SIGTERM');
  expect(await closed).toBe(1012);
  expect(await sockets.ended).toBe(0);
});

test('property 16: the example shows what it was given, and of secrets only whether', async () => {
  const { api } = await startAll();
  const { body } = await ask(`${api.url}/api/about`);
  expect(body).toMatchObject({
    database: { models: ['Twin'], host: '/cloudsql/p:r:i' },
    buckets: { GCS_BUCKET_FACES: 'clone-faces-test' },
    secrets: { jwt: true, refresh: true, password: false },
  });
  expect(JSON.stringify(body)).not.toContain(CHAT_SECRET);
});

test('the example turns strangers away, and what it cannot read', async () => {
  const { api, sockets, faces } = await startAll();
  expect((await ask(`${api.url}/api/twins`)).status).toBe(401);
  expect((await ask(`${api.url}/api/twins`, undefined, 'e30.e30.e30')).status).toBe(401);
  expect((await ask(`${api.url}/api/refresh`, { refresh: 'no' })).status).toBe(401);
  expect((await ask(`${sockets.url}/ws/publish`, { to: 'ada' })).status).toBe(401);
  expect((await ask(`${faces.url}/faces`, { pixels: [-1] })).status).toBe(400);
  expect((await ask(`${faces.url}/nowhere`)).status).toBe(404);
  const socket = new WebSocket(`${sockets.url.replace('http', 'ws')}/ws?token=none`);
  const refused = await new Promise((resolve) => socket.once('error', (error) => resolve(error.message)));
  expect(refused).toContain('401');
});

test('property 13: the stand-in of Prisma generates, and says that it only would migrate', async () => {
  const folder = copyDigitwin();
  const generated = prisma(folder, 'generate');
  expect(await generated.ended).toBe(0);
  expect(generated.output()).toContain('a client of 1 model');
  const without = prisma(folder, 'migrate', 'deploy');
  expect(await without.ended).toBe(1);
  const env = { DATABASE_URL: 'postgresql://app:hunter2@localhost/digitwin', DATABASE_HOST: '/cloudsql/p:r:i' };
  const migrated = launch(folder, 'packages/database/bin/prisma.js', env, ['migrate', 'deploy']);
  expect(await migrated.ended).toBe(0);
  expect(migrated.output()).toContain('would bring Twin to the database at /cloudsql/p:r:i');
  expect(migrated.output()).not.toContain('hunter2');
});
