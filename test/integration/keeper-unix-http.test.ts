import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { unixClient, type UnixClient } from '../../src/platform/unix-http.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

async function peer(listener: RequestListener): Promise<{ client: UnixClient; server: Server }> {
  const socketPath = join(tempDir(), 's');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const client = unixClient({ socketPath, peer: 'The controller', token: 't0ken', keepAlive: true });
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, server };
}

test('a request carries JSON and the token, and its answer comes back parsed', async () => {
  const { client } = await peer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      response.end(
        JSON.stringify({ method: request.method, token: request.headers.authorization, body: JSON.parse(body) }),
      );
    });
  });
  expect(await client.json({ path: '/x', body: { weight: 10 } })).toEqual({
    method: 'POST',
    token: 'Bearer t0ken',
    body: { weight: 10 },
  });
});

test('what the server refuses is told in its own words', async () => {
  const { client } = await peer((_request, response) => {
    response.statusCode = 409;
    response.end(
      JSON.stringify({
        error: { code: 'rollout-active', what: 'A rollout is active.', next: 'evenkeel status', exit: 2 },
      }),
    );
  });
  await expect(client.json({ path: '/deploy', body: {} })).rejects.toMatchObject({
    code: 'rollout-active',
    message: 'A rollout is active.',
    next: 'evenkeel status',
    exit: 2,
    retryable: false,
  });
  expect(await client.reply({ path: '/deploy' })).toMatchObject({ status: 409 });
});

test('nobody listening, no answer in time and a cut reply can be tried again; a cancelled request says so', async () => {
  const nobody = unixClient({ socketPath: join(tempDir(), 'none'), peer: 'The edge', next: 'evenkeel up' });
  await expect(nobody.json({ path: '/' })).rejects.toMatchObject({
    code: 'peer-unreachable',
    retryable: true,
    next: 'evenkeel up',
  });
  const { client } = await peer((request, response) => {
    if (request.url === '/cut') response.write('{"half":', () => response.destroy());
  });
  await expect(client.json({ path: '/never', timeoutMs: 50 })).rejects.toMatchObject({
    code: 'peer-timeout',
    retryable: true,
  });
  await expect(client.json({ path: '/cut' })).rejects.toMatchObject({ code: 'peer-unreachable', retryable: true });
  const cancel = new AbortController();
  const waiting = client.json({ path: '/never', signal: cancel.signal });
  cancel.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
});

test('lines and events come as they are sent, and leaving the loop ends the request', async () => {
  let left = false;
  const { client } = await peer((request, response) => {
    response.on('close', () => (left = true));
    response.write(': hello\n\nevent: phase\nid: 7\ndata: canary\ndata: 1');
    setTimeout(() => response.write('0\r\n\ndata: x\n\n'), 20);
  });
  const events: unknown[] = [];
  for await (const event of client.events({ path: '/events' })) {
    events.push(event);
    if (events.length === 3) break;
  }
  // A comment is a sign of life.
  expect(events).toEqual([
    null,
    { event: 'phase', data: 'canary\n10', id: '7' },
    { event: 'message', data: 'x', id: '7' },
  ]);
  await waitFor(() => left, { what: 'the server to see the request end' });
});
