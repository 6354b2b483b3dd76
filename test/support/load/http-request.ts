import { request } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Target } from './options.ts';
import type { FailureKind } from './report.ts';
import type { Session } from './session.ts';

export interface SentRequest {
  readonly target: Target;
  readonly session: Session;
  readonly method: string;
  readonly path: string;
  readonly auth: boolean;
  readonly body?: { readonly type: string; readonly bytes: Buffer };
  readonly headers?: OutgoingHttpHeaders;
  readonly timeoutMs: number;
  /** Also return the body; otherwise it is only read to its end. */
  readonly keepBody: boolean;
}

export type Outcome =
  | { readonly ok: true; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
  | { readonly ok: false; readonly kind: FailureKind; readonly detail: string; readonly openedAt: number };

/** When each connection was first used, epoch ms. */
const opened = new WeakMap<Socket, number>();

/** When the connection of a request was first used, perhaps by requests before it, epoch ms. Called at once. */
export function connectionOf(req: ClientRequest): { readonly openedAt: number } {
  const connection = { openedAt: Date.now() };
  req.on('socket', (socket) => {
    connection.openedAt = opened.get(socket) ?? connection.openedAt;
    opened.set(socket, connection.openedAt);
  });
  return connection;
}

/** Sends once, never again, and tells whether the whole reply came back, whatever its status. Never throws. */
export function sendRequest(sent: SentRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    const req = request(requestOptions(sent));
    let res: IncomingMessage | undefined;
    const connection = connectionOf(req);
    const fail = (kind: FailureKind, detail: string) => {
      clearTimeout(timer);
      resolve({ ok: false, kind, detail, openedAt: connection.openedAt });
    };
    const timer = setTimeout(() => {
      fail('timeout', `no ${res ? 'end of the reply' : 'reply'} within ${sent.timeoutMs} ms`);
      req.destroy();
    }, sent.timeoutMs);

    req.on('error', (error) => {
      if (res) fail('truncated', describe(error));
      else fail(kindOfError(error), `${describe(error)}${req.reusedSocket ? ' on a reused connection' : ''}`);
    });
    req.on('response', (response) => {
      res = response;
      const { headers, statusCode: status = 0 } = response;
      sent.session.keepCookies(headers);
      const chunks: Buffer[] = [];
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (sent.keepBody) chunks.push(chunk);
      });
      response.on('error', (error) => fail('truncated', `${describe(error)} after ${received} bytes`));
      response.on('close', () => {
        if (!response.complete) return fail('truncated', `the connection ended after ${received} bytes`);
        clearTimeout(timer);
        resolve({ ok: true, status, headers, body: Buffer.concat(chunks) });
      });
    });
    req.end(sent.body?.bytes);
  });
}

/** The options for `http.request`, the session's cookies and token included. */
export function requestOptions(sent: Omit<SentRequest, 'timeoutMs' | 'keepBody'>) {
  const { target, session, body } = sent;
  return {
    host: target.host,
    port: target.port,
    method: sent.method,
    path: sent.path,
    agent: session.agent,
    headers: {
      ...(target.hostHeader === undefined ? {} : { host: target.hostHeader }),
      ...session.headers(sent.auth),
      ...(body ? { 'content-type': body.type, 'content-length': body.bytes.length } : {}),
      ...sent.headers,
    },
  };
}

export function kindOfError(error: Error): FailureKind {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  if (code === 'ETIMEDOUT') return 'timeout';
  return 'other';
}

export function describe(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}

/** The version in a reply's header, if it names one. */
export function versionOf(headers: IncomingHttpHeaders, header: string): string | undefined {
  const value = headers[header.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
}
