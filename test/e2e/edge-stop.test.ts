import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { told } from '../support/bad/shared-system.ts';
import { openSystem } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

/** Answers nothing, or begins a stream, or becomes a WebSocket that is silent. */
const STREAMS = `const handshake = 'HTTP/1.1 101 x\\r\\nconnection: upgrade\\r\\nupgrade: websocket\\r\\n\\r\\n';
answer = (request, response) => {
  if (request.url === '/events') { response.setHeader('content-type', 'text/event-stream'); response.write('data: x\\n\\n'); }
  else if (request.url === '/never') return;
  else response.end();
};
setTimeout(() => server.on('upgrade', (request, socket) => { socket.on('error', () => {}); socket.write(handshake); }));`;

test('evenkeel server stop does not wait for those who never finish', { timeout: 120_000 }, async () => {
  const system = openSystem();
  const shop = await folder({ name: 'streams' });
  shop.program(app('v1', STREAMS));
  const up = await system.cli(['up'], { cwd: shop.root });
  expect(up.code, told(up)).toBe(0);
  const client = (text: string) => {
    const socket = connect({ port: shop.port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.write(text);
    return { answer: () => answer, closed: new Promise((resolve) => socket.once('close', resolve)) };
  };
  const events = client('GET /events HTTP/1.1\r\nhost: x\r\n\r\n');
  const socket = client(
    'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const upload = client('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nslowly');
  const never = client('GET /never HTTP/1.1\r\nhost: x\r\n\r\n');
  await waitFor(() => events.answer().includes('data: x') && socket.answer().includes('101'), { what: 'the streams' });
  const stop = await system.cli(['server', 'stop', '--instances', '--yes'], { cwd: shop.root });
  expect(stop.code, told(stop)).toBe(0);
  await Promise.all([events.closed, socket.closed, upload.closed, never.closed]);
  expect(socket.answer().endsWith('\x88\x02\x03\xf4')).toBe(true);
});
