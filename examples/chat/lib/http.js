// What every service here needs of HTTP: JSON in and out, errors with a status, and a stop that loses nothing.
import { createServer } from 'node:http';
import { Server as NetServer } from 'node:net';

/** Thrown by a handler to answer with a status of its own; anything else thrown becomes a 500. */
export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} code stable, for programs
   * @param {string} message for people
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @param {import('node:http').ServerResponse} res
 * @param {number} status
 * @param {unknown} value
 * @param {import('node:http').OutgoingHttpHeaders} [headers]
 */
export function sendJson(res, status, value, headers = {}) {
  const body = JSON.stringify(value);
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...headers,
  });
  res.end(body);
}

/**
 * @param {import('node:http').IncomingMessage} req
 * @param {number} limit in bytes
 * @returns {Promise<Buffer>}
 */
export async function readBody(req, limit) {
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const chunks = [];
  let length = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * @param {import('node:http').IncomingMessage} req
 * @returns {Promise<Record<string, unknown>>} the object that was sent
 */
export async function readJson(req, limit = 16 * 1024) {
  const body = await readBody(req, limit);
  let value;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpError(400, 'bad-json', 'the body is not JSON');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new HttpError(400, 'bad-json', 'the body must be a JSON object');
  }
  return value;
}

/**
 * Listens on $HOST:$PORT, and leaves in good order on SIGTERM or SIGINT: nothing new is accepted, what was begun
 * is finished, and the process ends with 0 by itself.
 *
 * @param {object} service
 * @param {string} service.name
 * @param {Record<string, string>} [service.headers] sent with every reply
 * @param {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => unknown} service.handle
 * @param {(req: import('node:http').IncomingMessage, socket: import('node:stream').Duplex, head: Buffer) => void} [service.upgrade]
 * @param {() => void} [service.stopping] end streams that would never end by themselves
 * @param {() => void} [service.stopped] everything was answered
 */
export function serve({ name, headers = {}, handle, upgrade, stopping, stopped }) {
  let draining = false;

  const server = createServer(async (req, res) => {
    for (const [key, value] of Object.entries(headers)) res.setHeader(key, value);
    if (draining) res.setHeader('connection', 'close');
    try {
      await handle(req, res);
    } catch (error) {
      answerError(name, req, res, error);
    }
  });
  // Longer than any proxy keeps an idle connection: the proxy closes it, so it never sends on one that we just closed.
  server.keepAliveTimeout = 75_000;
  if (upgrade) server.on('upgrade', upgrade);
  server.on('error', (error) => {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  });

  const port = Number(process.env.PORT ?? 3000);
  const host = process.env.HOST ?? '127.0.0.1';
  server.listen(port, host, () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    console.log(`${name} listening on http://${host}:${address.port}`);
  });

  const stop = () => {
    if (draining) return;
    draining = true;
    stopping?.();
    // Not server.close(): that cuts idle connections at once, just when a proxy may be sending on one of them.
    NetServer.prototype.close.call(server, () => {
      stopped?.();
      process.exit(0);
    });
    setTimeout(() => server.closeIdleConnections(), 300).unref();
    setInterval(() => server.closeIdleConnections(), 100).unref();
    setTimeout(() => {
      console.error(`${name}: some requests did not end within 20 s`);
      process.exit(1);
    }, 20_000).unref();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return server;
}

function answerError(name, req, res, error) {
  const known = error instanceof HttpError;
  if (!known) console.error(`${name}: ${req.method} ${req.url}:`, error);
  if (res.headersSent) {
    res.destroy();
    return;
  }
  req.resume(); // take the rest of a refused body, or the client fails while sending it and never sees why
  const status = known ? error.status : 500;
  const detail = known
    ? { code: error.code, message: error.message }
    : { code: 'internal', message: 'something went wrong' };
  sendJson(res, status, { error: detail });
}

function tooLarge(limit) {
  return new HttpError(413, 'too-large', `the body may have at most ${limit} bytes`);
}
