import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Door } from '../core/api.ts';
import { scaledByHand, type Engine } from './engine.ts';
import { admit, type TokenHeader } from './identity.ts';
import { StartFailure, type Instance } from './instance.ts';
import { splitTag } from './names.ts';
import { dial, forward, forwardUpgrade, type Forwarding } from './forward.ts';
import { findByHost } from './hosts.ts';
import { NoInstance, type Pool } from './pool.ts';
import type { Revision, Service } from './shapes.ts';
import { chooseRevision, sharesOf } from './traffic.ts';
import { seconds } from './validate.ts';

/** By which a client is led to the instance it had, as Cloud Run calls it. */
const COOKIE = 'GAESA';

/** A request refused before any program saw it. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Takes what is asked of services' own URLs: `*.run.app`, and `<service>.run.localhost` for browsers. */
export function frontDoor(engine: () => Engine): Door {
  return {
    opens: (host) => host.endsWith('.run.app') || host.endsWith('.run.localhost'),
    handle: async (request, response) => serve(engine(), request, response),
    upgrade: (request, socket, head) => void upgrade(engine(), request, socket, head),
  };
}

interface Chosen {
  service: Service;
  revision: Revision;
  pool: Pool;
  /** An instance that the client was led to before. */
  wish: string | undefined;
  /** The header whose token let the request in. */
  checked: TokenHeader | null;
}

async function serve(engine: Engine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const begun = performance.now();
  let chosen: Chosen | null = null;
  let instance: Instance | null = null;
  try {
    chosen = choose(engine, request);
    const reached = await reach(chosen);
    ({ instance } = reached);
    const affinity = chosen.revision.sessionAffinity === true ? cookieFor(chosen, instance) : null;
    await forward(request, response, forwarding(request, chosen, reached.socket), affinity);
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(500, (error as Error).message);
    if (!response.headersSent) {
      response.writeHead(refusal.status, { 'content-type': 'text/html; charset=UTF-8' });
      response.end(page(refusal));
    }
  } finally {
    if (chosen !== null && instance !== null) chosen.pool.release(instance);
    if (chosen !== null) record(engine, chosen, instance, request, response.statusCode, performance.now() - begun);
  }
}

async function upgrade(engine: Engine, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const begun = performance.now();
  socket.on('error', () => {});
  let chosen: Chosen | null = null;
  let instance: Instance | null = null;
  let status = 101;
  try {
    chosen = choose(engine, request);
    const reached = await reach(chosen);
    ({ instance } = reached);
    status = await forwardUpgrade(request, socket, head, forwarding(request, chosen, reached.socket));
  } catch (error) {
    status = error instanceof Refusal ? error.status : 502;
    socket.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  } finally {
    if (chosen !== null && instance !== null) chosen.pool.release(instance);
    if (chosen !== null) record(engine, chosen, instance, request, status, performance.now() - begun);
  }
}

function choose(engine: Engine, request: IncomingMessage): Chosen {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const split = splitTag(host);
  const service = findByHost(engine, split.host);
  if (service === null)
    throw new Refusal(404, 'The requested URL was not found on this server: no service has this address.');
  if (service.ingress !== 'INGRESS_TRAFFIC_ALL')
    throw new Refusal(404, 'The service takes no requests from the internet (ingress).');
  const admission = admit(engine.world, service, request);
  if (!admission.admitted) throw new Refusal(admission.status, admission.why);
  if (scaledByHand(service) === 0)
    throw new Refusal(503, 'The service has no instances: it is scaled by hand, and to none.');
  const statuses = service.trafficStatuses ?? [];
  const led = split.tag === null ? affinityOf(request, service) : null;
  const name = led?.revision ?? chooseRevision(statuses, split.tag, Math.random());
  if (name === null) {
    const why =
      split.tag === null ? 'no revision of the service is ready' : `no traffic target has the tag ${split.tag}`;
    throw new Refusal(split.tag === null ? 503 : 404, why);
  }
  const revision = engine.revisionOf(service.name, name);
  if (revision === undefined) throw new Refusal(503, 'the revision is gone');
  return { service, revision, pool: engine.pool(revision), wish: led?.instance, checked: admission.checked };
}

/** How many instances that turn out to be dead are passed over. */
const TRIES = 3;

/** An instance, and a connection to it. One that died a moment ago is not known as dead yet: then another one is taken. */
async function reach(chosen: Chosen): Promise<{ instance: Instance; socket: Socket }> {
  for (let tries = 1; ; tries++) {
    const instance = await instanceFor(chosen);
    const socket = await dial(instance.port);
    if (socket !== null) return { instance, socket };
    chosen.pool.discard(instance);
    if (tries === TRIES) throw new Refusal(503, 'The program takes no connections.');
  }
}

async function instanceFor({ pool, wish }: Chosen): Promise<Instance> {
  try {
    return await pool.acquire(wish);
  } catch (error) {
    if (error instanceof NoInstance)
      throw new Refusal(429, 'The request was aborted because there was no available instance.');
    if (error instanceof StartFailure) throw new Refusal(503, `The program did not start: ${error.message}.`);
    throw error;
  }
}

const forwarding = (request: IncomingMessage, { revision, checked }: Chosen, socket: Socket): Forwarding => ({
  socket,
  checked,
  timeoutMs: seconds(revision.timeout ?? '300s') * 1000,
  trace:
    /^[0-9a-f]{32}/.exec(String(request.headers['x-cloud-trace-context'] ?? ''))?.[0] ??
    randomBytes(16).toString('hex'),
});

const cookieFor = ({ revision }: Chosen, instance: Instance): string => {
  const value = Buffer.from(`${revision.name} ${instance.id.slice(0, 24)}`).toString('base64url');
  return `${COOKIE}=${value}; Path=/; HttpOnly; Secure; Max-Age=2592000`;
};

/** Where a client with a cookie was before, while traffic still goes there. */
function affinityOf(request: IncomingMessage, service: Service): { revision: string; instance: string } | null {
  const value = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1];
  if (value === undefined) return null;
  const [name = '', instance = ''] = Buffer.from(value, 'base64url').toString().split(' ');
  const revision = name.slice(name.lastIndexOf('/') + 1);
  const share = sharesOf(service.trafficStatuses ?? []).get(revision) ?? 0;
  return name.startsWith(`${service.name}/`) && share > 0 ? { revision, instance } : null;
}

function record(
  engine: Engine,
  { revision }: Chosen,
  instance: Instance | null,
  request: IncomingMessage,
  status: number,
  latencyMs: number,
): void {
  engine.metrics.count(revision, status, latencyMs);
  engine.logs.request(revision, {
    method: request.method ?? 'GET',
    url: `https://${request.headers.host ?? ''}${request.url ?? ''}`,
    status,
    latencyMs,
    userAgent: request.headers['user-agent'],
    remoteIp: request.socket.remoteAddress ?? '',
    instance: instance?.id ?? null,
  });
}

const TITLES: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Rate exceeded',
  503: 'Service Unavailable',
};

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const page = ({ status, message }: Refusal): string =>
  `<html><head><title>${status} ${TITLES[status] ?? 'Error'}</title></head><body><h1>Error: ${TITLES[status] ?? 'Error'}</h1><p>${escaped(message)}</p></body></html>\n`;
