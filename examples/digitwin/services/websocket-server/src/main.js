import { openDatabase } from '@digitwin/database';
import { HttpError, log, serve } from '@digitwin/http';
import { verify } from '@digitwin/tokens';
import { accept } from './socket.js';

const { JWT_SECRET = '' } = process.env;
const database = openDatabase();

/** Sockets by the name of whoever opened them. */
const listeners = new Map();

const server = serve('websocket-server', {
  'GET /ws/health': () => ({ ok: JWT_SECRET !== '' }),
  'GET /ws/about': () => ({ listeners: listeners.size, database: database.describe() }),
  'POST /ws/publish': ({ token, body }) => {
    const from = verify(token, JWT_SECRET);
    if (from === null || from !== body?.to) throw new HttpError(401, 'sign in first');
    const sockets = listeners.get(from) ?? new Set();
    for (const socket of sockets) socket.send(JSON.stringify({ event: body.event, id: body.id }));
    return { told: sockets.size };
  },
});

server.on('upgrade', (request, stream) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const name = pathname === '/ws' ? verify(searchParams.get('token'), JWT_SECRET) : null;
  if (name === null) {
    stream.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    return;
  }
  const socket = accept(request, stream, () => {
    listeners.get(name)?.delete(socket);
    if (listeners.get(name)?.size === 0) listeners.delete(name);
  });
  listeners.set(name, (listeners.get(name) ?? new Set()).add(socket));
  log('debug', `${name} listens`);
});

process.once('SIGTERM', () => {
  for (const sockets of listeners.values()) for (const socket of sockets) socket.close(1012);
});
