import { afterEach, expect, test } from 'vitest';
import { call, create, open, running, service } from './deployed.ts';
import { endEmulators } from './emulated.ts';

afterEach(endEmulators);

/** Answers with what the service named by OTHER answers it, and with that address. */
const ASKING = `
const http = require('node:http');
const other = process.env.OTHER;
http
  .createServer(async (request, response) => {
    if (request.url === '/ws') {
      const socket = new WebSocket(other.replace('http', 'ws') + '/ws');
      socket.onopen = () => response.end('open');
      socket.onerror = () => response.end('refused');
      return;
    }
    try {
      const answer = await fetch(other + '/?a=1', { method: 'POST', body: 'hello' });
      const text = await answer.text();
      response.end(JSON.stringify({ other, status: answer.status, answer: answer.ok ? JSON.parse(text) : text }));
    } catch (error) {
      response.end(JSON.stringify({ other, problem: String(error.cause ?? error) }));
    }
  })
  .listen(process.env.PORT);
`;

test('services ask each other by the addresses that they are given, also of one that is deployed later', async () => {
  const { emulator, image } = await running();
  const { number } = emulator.world.projects.find('demo-project');
  const address = `https://back-${number}.europe-west1.run.app`;
  const env = [
    { name: 'OTHER', value: address },
    { name: 'ELSEWHERE', value: 'https://api-1.europe-west1.run.app and https://example.com' },
  ];
  const asking = { containers: [{ image: await image('asking', { 'main.js': ASKING }), env }] };
  expect((await create(emulator, 'front', { template: asking })).error).toBeUndefined();
  await open(emulator, 'front');
  const back = { containers: [{ image: await image('back'), env }] };
  expect((await create(emulator, 'back', { template: back })).error).toBeUndefined();

  const front = (await service(emulator, 'front')).uri;
  // What nobody may call from outside is closed to neighbours, too.
  expect((await call(emulator, front)).json).toMatchObject({ status: 403 });
  await open(emulator, 'back');
  const { answer, other } = (await call(emulator, front)).json;
  expect(answer).toMatchObject({ method: 'POST', body: 'hello', env: { K_SERVICE: 'back' } });
  expect(answer.headers.host).toBe(new URL(address).host);
  expect(answer.env).toMatchObject({ OTHER: other, ELSEWHERE: env[1]?.value });
  expect((await call(emulator, `${front}/ws`)).text).toBe('open');
});
