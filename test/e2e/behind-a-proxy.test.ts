import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { type Reply, send } from '../support/edge-harness.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

test('a server behind a proxy knows who asks, and by which names it may be asked', async () => {
  mkdirSync(dirname(system.paths.signIn), { recursive: true, mode: 0o700 });
  writeFileSync(system.paths.signIn, 'publicUrl: https://ops.example\ntrustedProxies: 127.0.0.2\n');
  await system.start();
  const { port } = await waitFor(async () => (await system.keeperInfo()).dashboard ?? null, { what: 'the dashboard' });
  const guess = (from: string, host: string): Promise<Reply> =>
    send(
      {
        port,
        method: 'POST',
        path: '/api/v1/session',
        localAddress: from,
        headers: { host, 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' },
      },
      JSON.stringify({ login: 'ann', password: 'guessed' }),
    );
  const first = await waitFor(() => guess('127.0.0.2', 'ops.example').catch(() => null), { what: 'an answer' });
  expect(first.status).toBe(401);
  expect((await guess('127.0.0.3', 'ops.example')).status).toBe(401);
  expect((await guess('127.0.0.3', 'evil.example')).status).toBe(421);
  const page = await send({ port, path: '/', headers: { host: 'evil.example' } });
  expect([page.status, page.body.includes('<script')]).toEqual([421, false]);
  expect((await send({ port, path: '/', headers: { host: 'ops.example' } })).status).toBe(200);
  const { acts } = await system.get<{ acts: { source: string }[] }>('/api/v1/audit?operation=signIn');
  expect(acts.map(({ source }) => source)).toEqual(['127.0.0.3', '203.0.113.9']);
});
