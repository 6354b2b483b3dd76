import { Agent as HttpAgent, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent as HttpsAgent, request as overHttps } from 'node:https';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** One request as it goes out. */
export interface Outgoing {
  method: string;
  /** Where Google has it, such as `https://run.googleapis.com/v2/…`. */
  url: URL;
  headers: Headers;
  body: string | Uint8Array | Readable | null;
  signal: AbortSignal;
}

/** Sends requests, over connections that are kept. Rejects when no answer begins to come. */
export interface Wire {
  send(request: Outgoing): Promise<Response>;
  /** Ends the kept connections. */
  close(): void;
}

/**
 * With an endpoint everything goes there, in plain HTTP, and `Host` still says whom it was meant for: a stand-in for
 * Google tells the APIs apart by it. (`fetch` cannot do that: it writes `Host` itself.) Without one, proxies of the
 * environment are heeded.
 */
export function openWire(endpoint: URL | null): Wire {
  const agent =
    endpoint === null || endpoint.protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true, maxSockets: 32, proxyEnv: process.env })
      : new HttpAgent({ keepAlive: true, maxSockets: 32 });
  return {
    send({ method, url, headers, body, signal }) {
      const target = endpoint === null ? url : new URL(`${url.pathname}${url.search}`, endpoint);
      const wanted: Record<string, string> = { ...Object.fromEntries(headers), host: url.host };
      // A length is worth having: some servers refuse a body without one.
      if (typeof body === 'string' || body instanceof Uint8Array)
        wanted['content-length'] = String(Buffer.byteLength(body));
      else if (body === null && method !== 'GET' && method !== 'HEAD') wanted['content-length'] = '0';
      return new Promise((resolve, reject) => {
        const request = target.protocol === 'https:' ? overHttps : overHttp;
        const outgoing = request(target, { method, headers: wanted, agent, signal });
        outgoing.on('error', reject);
        outgoing.on('response', (incoming) => {
          try {
            resolve(responseOf(incoming));
          } catch (error) {
            incoming.destroy();
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
        if (body instanceof Readable) {
          body.on('error', (error) => outgoing.destroy(error));
          body.pipe(outgoing);
        } else outgoing.end(body ?? undefined);
      });
    },
    close: () => agent.destroy(),
  };
}

function responseOf(incoming: IncomingMessage): Response {
  const { statusCode = 0, headersDistinct } = incoming;
  const headers = new Headers(
    Object.entries(headersDistinct).flatMap(([name, values]) =>
      (values ?? []).map((value): [string, string] => [name, value]),
    ),
  );
  if (statusCode === 204 || statusCode === 205 || statusCode === 304) {
    incoming.resume();
    return new Response(null, { status: statusCode, headers });
  }
  const zipped = headers.get('content-encoding') === 'gzip';
  if (zipped) headers.delete('content-encoding');
  const plain = zipped ? incoming.pipe(createGunzip()) : incoming;
  if (zipped) incoming.on('error', (error) => plain.destroy(error));
  return new Response(Readable.toWeb(plain) as ReadableStream<Uint8Array>, { status: statusCode, headers });
}
