import { createServer } from 'node:http';

const LEVELS = { debug: 0, info: 1, error: 2 };
const least = LEVELS[process.env.LOG_LEVEL] ?? LEVELS.info;

/** One line of JSON, as Cloud Logging reads it. */
export function log(level, message, more = {}) {
  if (LEVELS[level] >= least) console.log(JSON.stringify({ severity: level.toUpperCase(), message, ...more }));
}

export class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Serves `routes`, each by `METHOD /path`, on $PORT, and ends when it is told to: no new connections, those that are there
 * may finish. A handler gets `{ request, body, token }` and returns what is answered as JSON,
 * with `headers` on every reply.
 */
export function serve(name, routes, headers = {}) {
  const server = createServer(async (request, response) => {
    const began = performance.now();
    const { pathname } = new URL(request.url, 'http://localhost');
    const reply = (status, value) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(`${JSON.stringify(value)}\n`);
      log('debug', `${request.method} ${pathname} ${status}`, { ms: Math.round(performance.now() - began) });
    };
    try {
      const handler = routes[`${request.method} ${pathname}`];
      if (handler === undefined) throw new HttpError(404, `there is nothing at ${pathname}`);
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
      reply(200, await handler({ request, token, body: await bodyOf(request) }));
    } catch (error) {
      if (!(error instanceof HttpError)) log('error', error.message, { stack: error.stack });
      reply(error instanceof HttpError ? error.status : 500, { error: error.message });
    }
  });
  server.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? '0.0.0.0', () => {
    log('info', `${name} listens on ${server.address().port}`);
  });
  process.once('SIGTERM', () => {
    log('info', `${name} ends`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
  return server;
}

const MOST = 1_000_000;

async function bodyOf(request) {
  if (request.method === 'GET' || request.method === 'HEAD') return null;
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > MOST) throw new HttpError(413, 'that is too much');
  }
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
}

/** Asks another service by the address that stands in a variable. */
export async function ask(variable, path, body, headers = {}) {
  const base = process.env[variable];
  if (base === undefined) throw new HttpError(503, `${variable} is not set`);
  const answer = await fetch(new URL(path, base), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new HttpError(502, `${variable} answered ${answer.status}`);
  return answer.json();
}
