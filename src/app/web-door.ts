import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { enteredByWeb } from '../api/doors.ts';
import { DATA_HEADERS } from '../api/shield-headers.ts';

/** A head takes no honest client longer, ms. */
const HEAD_MS = 10_000;
/** A whole request, its body included, ms. */
const REQUEST_MS = 60_000;
/** More than every person of a team has open at once, and far less than the descriptors of a process. */
const MOST_CONNECTIONS = 1_000;
const HEAD_BYTES = 16 * 1024;

/**
 * Lets browsers and programs from elsewhere in to the API: the same routes as on the socket of commands, but nobody is
 * believed there because of the folder that they can read.
 */
export function openWebDoor(api: FastifyInstance, handle: unknown, failed: (error: Error) => void): Server {
  const server = createServer(
    { headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS, maxHeaderSize: HEAD_BYTES, keepAliveTimeout: 5_000 },
    (request, response) => {
      if (!hasOneHost(request)) {
        refuse({ name: '', message: '', code: 'host' }, request.socket);
        return;
      }
      enteredByWeb(request);
      api.routing(request, response);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.on('clientError', refuse);
  // Two can bind one port at the same moment, and only the first to listen has it. Nobody's rollouts may suffer for that.
  server.on('error', failed);
  server.listen(handle as object);
  return server;
}

/** Whom a request is for is said once, and not otherwise in its target: what stands before this server may read the other. */
function hasOneHost({ rawHeaders, headers, url = '/' }: IncomingMessage): boolean {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) return false;
  if (url.startsWith('/') || url === '*') return true;
  return URL.parse(url)?.host === headers.host?.toLowerCase();
}

const REFUSALS: Readonly<Record<string, [status: string, code: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'request-too-large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request-timeout'],
};

/** What cannot be read as a request: nothing behind it on the connection is one, either. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code] = REFUSALS[error.code ?? ''] ?? ['400 Bad Request', 'bad-request'];
  const body = JSON.stringify({
    type: `urn:evenkeel:problem:${code}`,
    title: 'this cannot be read as a request',
    status: Number.parseInt(status, 10),
    code,
    where: null,
    next: null,
    retryable: false,
    exit: 1,
  });
  const headers = { ...DATA_HEADERS, 'content-type': 'application/problem+json', connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `content-length: ${Buffer.byteLength(body)}\r\n`;
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}${length}\r\n${body}`, () => socket.destroy());
}
