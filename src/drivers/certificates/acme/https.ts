import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { rootCertificates } from 'node:tls';

/** Chains are some kilobytes. */
const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 30_000;

export interface HttpsReply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface HttpsAsk {
  method: 'GET' | 'HEAD' | 'POST';
  url: string;
  body?: string;
  /** In PEM form, beside what browsers trust; null: those alone. */
  ca: string | null;
  signal: AbortSignal;
}

/** One request, a connection of its own, no redirects. Rejects with the system's error. */
export function httpsRequest({ method, url, body, ca, signal }: HttpsAsk): Promise<HttpsReply> {
  return new Promise((resolve, reject) => {
    const headers = {
      'user-agent': 'evenkeel',
      'accept-language': 'en',
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
    };
    const trust = ca === null ? {} : { ca: [...rootCertificates, ca] };
    const outgoing = request(url, {
      method,
      headers,
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      ...trust,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) response.destroy(new Error(`the reply is longer than ${MAX_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.end(body);
  });
}

/** Throws the system's error. */
export const readCa = (path: string | null): Promise<string | null> =>
  path === null ? Promise.resolve(null) : readFile(path, 'utf8');
