import { request as httpRequest } from 'node:http';
import { applyReplySchema, edgeStateSchema, type ApplyCommand } from '../../../domain/traffic/protocol.ts';
import { edgeStatsSchema } from '../../../domain/traffic/stats.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { ProbeReply, ProbeRequest, Traffic } from '../../../ports/traffic.ts';
import { unixClient } from '../../../platform/unix-http.ts';

const BODY_LIMIT = 64 * 1024;
const LOOPBACK = '127.0.0.1';

/** Steers evenkeel's own edge, over its control socket. */
export function edgeTraffic(options: { socketPath: string; probeToken: string }): Traffic & { close(): void } {
  const client = unixClient({ socketPath: options.socketPath, peer: 'The edge', timeoutMs: 5_000, keepAlive: true });
  return {
    async apply(command: ApplyCommand) {
      // A refusal comes as a reply of its own, whatever its status.
      const reply = await client.reply({ method: 'POST', path: '/apply', body: command });
      const parsed = applyReplySchema.safeParse(reply.body);
      if (parsed.success) return parsed.data;
      throw unreadable('/apply', reply.status);
    },
    async state() {
      const parsed = edgeStateSchema.safeParse(await client.json({ path: '/state' }));
      if (parsed.success) return parsed.data;
      throw unreadable('/state', 200);
    },
    async stats() {
      const parsed = edgeStatsSchema.safeParse(await client.json({ path: '/stats' }));
      if (parsed.success) return parsed.data;
      throw unreadable('/stats', 200);
    },
    probe: (request) => probe(request, options.probeToken),
    close: () => client.close(),
  };
}

/** As a client would ask, with the token that keeps it out of the statistics and makes the edge name the release. */
function probe(request: ProbeRequest, token: string): Promise<ProbeReply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      host: request.address ?? LOOPBACK,
      port: request.port,
      method: request.method,
      path: request.path,
      agent: false,
      headers: {
        host: request.host ?? `${LOOPBACK}:${request.port}`,
        'user-agent': 'evenkeel-probe',
        'evenkeel-probe': token,
        connection: 'close',
      },
      signal: AbortSignal.timeout(request.timeoutMs),
    });
    outgoing.on('error', (cause) => reject(failed(request, cause)));
    outgoing.on('response', (response) => {
      const release = response.headers['evenkeel-release'];
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (body.length < BODY_LIMIT) body += chunk.slice(0, BODY_LIMIT - body.length);
      });
      response.on('error', (cause) => reject(failed(request, cause)));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, release: typeof release === 'string' ? release : null, body }),
      );
    });
    outgoing.end();
  });
}

function failed(request: ProbeRequest, cause: Error): EvenkeelError {
  return new EvenkeelError({
    code: 'probe-failed',
    what: `no answer to ${request.method} ${request.path} through the edge`,
    where: `${request.address ?? LOOPBACK}:${request.port}`,
    why: cause.message,
    retryable: true,
    exit: 2,
    cause,
  });
}

const unreadable = (path: string, status: number): EvenkeelError =>
  new EvenkeelError({
    code: 'edge-unreadable',
    what: `the edge's answer to ${path} cannot be read (status ${status})`,
    why: 'edge and controller may be of different versions',
    next: 'evenkeel server restart-edge',
    retryable: true,
    exit: 2,
  });
