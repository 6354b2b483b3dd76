/**
 * A program with WebSockets that echo, and event streams with a rising number every 200 ms: `node live-server.ts`. It
 * writes its port on a line of its own, and what it has sent so far whenever it is asked for `/sent`.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const EVERY_MS = 200;

let next = 1;
const streams = new Set<ServerResponse>();
const server = createServer((req, res) => {
  if (req.url === '/sent') return void res.end(String(next - 1));
  if (req.url !== '/events') return void res.end('live');
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const since = Number(req.headers['last-event-id'] ?? next - 1);
  for (let id = since + 1; id < next; id++) res.write(`id: ${id}\ndata: ${id}\n\n`);
  streams.add(res);
  res.on('close', () => streams.delete(res));
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
setInterval(() => {
  const id = next++;
  for (const res of streams) res.write(`id: ${id}\ndata: ${id}\n\n`);
}, EVERY_MS);
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
