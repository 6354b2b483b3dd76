// A WebSocket server: echoes to the sender, broadcasts what somebody says, and tells everybody how many are here.
import { VERSION } from '../api/release.js';
import { HttpError, sendJson, serve } from '../lib/http.js';
import { acceptWebSocket } from './websocket.js';

const SERVICE_RESTART = 1012;

/** @type {Set<import('./websocket.js').WebSocketConnection>} */
const connections = new Set();
let stopping = false;

serve({
  name: `ws ${VERSION}`,
  headers: { 'x-app-version': VERSION },
  handle(req, res) {
    if (req.url !== '/ws/health') throw new HttpError(404, 'not-found', 'a WebSocket at /ws, or GET /ws/health');
    sendJson(res, 200, { ok: true, version: VERSION, connections: connections.size });
  },
  upgrade(req, socket, head) {
    const connection = acceptWebSocket(req, socket, head, { 'x-app-version': VERSION });
    if (!connection) return;
    connections.add(connection);
    connection.on('message', (text) => receive(connection, text));
    connection.on('close', () => {
      connections.delete(connection);
      if (!stopping) broadcast({ type: 'presence', here: connections.size });
    });
    connection.send(JSON.stringify({ type: 'hello', version: VERSION }));
    if (stopping) connection.close(SERVICE_RESTART, 'restarting');
    else broadcast({ type: 'presence', here: connections.size });
  },
  stopping() {
    stopping = true;
    for (const connection of connections) connection.close(SERVICE_RESTART, 'restarting');
  },
});

function receive(connection, text) {
  let message;
  try {
    message = Object(JSON.parse(text));
  } catch {
    connection.close(1007, 'not JSON');
    return;
  }
  if (message.type === 'say') broadcast({ type: 'said', text: String(message.text).slice(0, 2000) });
  else connection.send(JSON.stringify({ ...message, type: 'echo', version: VERSION }));
}

function broadcast(message) {
  const text = JSON.stringify(message);
  for (const connection of connections) connection.send(text);
}
