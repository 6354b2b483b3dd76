import { once } from 'node:events';
import { connect } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  OutgoingHttpHeaders,
  SecureClientSessionOptions,
} from 'node:http2';
import { onTestFinished } from 'vitest';

export interface StreamAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
  readonly trailers: Record<string, string | string[] | undefined>;
  /** Of RST_STREAM, 0 for a stream that ended well. */
  readonly code: number;
}

/** A connection of HTTP/2 to the edge, whatever its certificate. Ends with the test. */
export async function session(port: number, options: SecureClientSessionOptions = {}): Promise<ClientHttp2Session> {
  const made = connect(`https://127.0.0.1:${port}`, { servername: 'a.example', rejectUnauthorized: false, ...options });
  made.on('error', () => undefined);
  onTestFinished(() => made.destroy());
  await once(made, 'remoteSettings');
  return made;
}

/** One request; resolves when its stream closed, however it ended. */
export function ask(
  over: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<StreamAnswer> {
  const stream = over.request({ ':authority': 'a.example', ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

export async function answerOf(stream: ClientHttp2Stream): Promise<StreamAnswer> {
  const chunks: Buffer[] = [];
  let headers: StreamAnswer['headers'] = {};
  let trailers: StreamAnswer['trailers'] = {};
  stream.on('response', (got) => (headers = { ...got }));
  stream.on('trailers', (got) => (trailers = { ...got }));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.once('close', resolve));
  return {
    status: Number(headers[':status'] ?? 0),
    headers,
    body: Buffer.concat(chunks).toString('utf8'),
    trailers,
    code: stream.rstCode ?? 0,
  };
}
