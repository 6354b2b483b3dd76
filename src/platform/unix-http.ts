import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { EvenkeelError } from '../ports/errors.ts';
import { lines, serverSentEvents, type ServerSentEvent } from './stream-lines.ts';

export interface UnixClientOptions {
  socketPath: string;
  /** Who listens there, as it should read in an error: "The controller". */
  peer: string;
  /** Sent as `Authorization: Bearer ...`. */
  token?: string;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  /** Keep connections for the next request; for those who ask often. Then `close` the client. */
  keepAlive?: boolean;
  /** Until the whole reply is there (for streams: until it begins), ms; 10 s by default. */
  timeoutMs?: number;
  /** The next step that an error names when nobody listens. */
  next?: string;
}

export interface UnixRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query, such as `/stats?since=5`. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Of events: the last one that was seen, after which to go on. */
  lastEventId?: string;
}

export interface UnixReply {
  status: number;
  /** Parsed JSON, the text when it is none, null when it is empty. */
  body: unknown;
}

/**
 * JSON over HTTP on a Unix socket. All calls throw EvenkeelErrors: `peer-unreachable` and `peer-timeout` (retryable),
 * `cancelled`, and what the server said for a status of 400 or above (its `{error: {code, message, ...}}` where it
 * speaks so).
 */
export interface UnixClient {
  /** The body of a successful reply. */
  json(request: UnixRequest): Promise<unknown>;
  /** The reply whatever its status; throws only when there was none. */
  reply(request: UnixRequest): Promise<UnixReply>;
  /** Of a reply that is a text, as it comes. Throws when it ends before its end. */
  lines(request: UnixRequest): AsyncGenerator<string>;
  /** Null is a sign of life. */
  events(request: UnixRequest): AsyncGenerator<ServerSentEvent | null>;
  close(): void;
}

export function unixClient(options: UnixClientOptions): UnixClient {
  const agent = new Agent({ keepAlive: options.keepAlive ?? false });
  const send = (request: UnixRequest, whole: boolean): Promise<{ response: IncomingMessage; text: string }> =>
    exchange(options, agent, request, whole);

  const reply = async (request: UnixRequest): Promise<UnixReply> => {
    const { response, text } = await send(request, true);
    return { status: response.statusCode ?? 0, body: parse(text) };
  };

  const stream = async (request: UnixRequest): Promise<IncomingMessage> => {
    const { response } = await send(request, false);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    throw refusal(options, request, { status, body: parse(text) });
  };

  return {
    reply,
    async json(request) {
      const answer = await reply(request);
      if (answer.status >= 400) throw refusal(options, request, answer);
      return answer.body;
    },
    async *lines(request) {
      const response = await stream(request);
      try {
        yield* lines(response);
      } catch (error) {
        throw failure(options, request, error);
      } finally {
        response.destroy();
      }
    },
    async *events(request) {
      const response = await stream(request);
      try {
        yield* serverSentEvents(lines(response));
      } catch (error) {
        throw failure(options, request, error);
      } finally {
        response.destroy();
      }
    },
    close: () => agent.destroy(),
  };
}

/** Resolves with the response's head, and with its text when `whole`. */
function exchange(
  options: UnixClientOptions,
  agent: Agent,
  request: UnixRequest,
  whole: boolean,
): Promise<{ response: IncomingMessage; text: string }> {
  const timeoutMs = request.timeoutMs ?? options.timeoutMs ?? 10_000;
  const payload = request.body === undefined ? null : JSON.stringify(request.body);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      socketPath: options.socketPath,
      agent,
      method: request.method ?? (payload === null ? 'GET' : 'POST'),
      path: request.path,
      headers: {
        host: 'evenkeel',
        accept: 'application/json, text/event-stream',
        ...options.headers,
        ...request.headers,
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(request.lastEventId === undefined ? {} : { 'last-event-id': request.lastEventId }),
        ...(payload === null
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
      },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const timer = setTimeout(() => outgoing.destroy(new TimeoutError(timeoutMs)), timeoutMs);
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(failure(options, request, error));
    };
    outgoing.on('error', fail);
    outgoing.on('response', (response) => {
      if (!whole) {
        clearTimeout(timer);
        resolve({ response, text: '' });
        return;
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ response, text });
      });
    });
    outgoing.end(payload ?? undefined);
  });
}

class TimeoutError extends Error {
  readonly timeoutMs: number;
  constructor(timeoutMs: number) {
    super(`no reply within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

function failure(options: UnixClientOptions, request: UnixRequest, cause: unknown): EvenkeelError {
  if (cause instanceof EvenkeelError) return cause;
  const where = `${request.method ?? 'GET'} ${request.path}`;
  if (request.signal?.aborted === true) {
    return new EvenkeelError({ code: 'cancelled', what: 'The request was cancelled.', where, exit: 2, cause });
  }
  const { message, code } = cause as NodeJS.ErrnoException;
  if (cause instanceof TimeoutError) {
    const what = `${options.peer} did not answer in time.`;
    return new EvenkeelError({ code: 'peer-timeout', what, where, why: message, retryable: true, exit: 2, cause });
  }
  const denied = code === 'EACCES' || code === 'EPERM';
  return new EvenkeelError({
    code: denied ? 'peer-denied' : 'peer-unreachable',
    what: `${options.peer} cannot be reached.`,
    where: `${where} (${options.socketPath})`,
    why: denied ? 'its socket belongs to another user' : message,
    retryable: !denied,
    exit: 2,
    cause,
    ...(options.next === undefined ? {} : { next: options.next }),
  });
}

/** What the server said, in its own words where it speaks in our errors. */
function refusal(options: UnixClientOptions, request: UnixRequest, { status, body }: UnixReply): EvenkeelError {
  const said = asRecord(asRecord(body)?.['error']) ?? asRecord(body) ?? {};
  const text = (key: string): string | undefined => {
    const value = said[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const why = text('detail') ?? text('why');
  const next = text('next');
  const exit = said['exit'];
  return new EvenkeelError({
    code: text('code') ?? `http-${status}`,
    what: text('title') ?? text('what') ?? text('message') ?? `${options.peer} answered with status ${status}.`,
    where: text('where') ?? `${request.method ?? 'GET'} ${request.path}`,
    retryable: said['retryable'] === true || status === 503,
    exit: exit === 1 || exit === 2 || exit === 3 ? exit : status < 500 ? 1 : 2,
    ...(why === undefined ? {} : { why }),
    ...(next === undefined ? {} : { next }),
  });
}

const asRecord = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;

function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
