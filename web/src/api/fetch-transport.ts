import type { ApiRequest, StreamOptions, Transport } from '../../../src/api/contract/client.ts';
import { heard, notHeard, refusedIdentity } from './connection.ts';
import { problemIn, unreachable, type ProblemError } from './problem-error.ts';
import { readEvents } from './read-events.ts';
import { readLines } from './read-lines.ts';

const TIMEOUT_MS = 30_000;

/** Requests of the dashboard to the controller that it came from. All throw ProblemError; a cancelled one, AbortError. */
export const fetchTransport: Transport = {
  async json(request) {
    const limit = AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS);
    const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
    const reply = await send(request, { accept: 'application/json' }, signal);
    try {
      return (await reply.json()) as unknown;
    } catch (error) {
      throw broken(error, request);
    }
  },

  async *lines(request) {
    const reply = await send(request, { accept: '*/*' }, request.signal);
    if (reply.body === null) return;
    try {
      yield* readLines(reply.body);
    } catch (error) {
      throw broken(error, request);
    }
  },

  async *events(request) {
    const { lastEventId } = request;
    const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const reply = await send(request, { accept: 'text/event-stream', ...resume }, request.signal);
    if (reply.body === null) return;
    try {
      for await (const event of readEvents(reply.body)) {
        heard();
        yield event;
      }
    } catch (error) {
      throw broken(error, request);
    }
  },
};

async function send(
  request: ApiRequest & StreamOptions,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const { method, path, body } = request;
  let reply: Response;
  try {
    reply = await fetch(path, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      cache: 'no-store',
      redirect: 'error',
    });
  } catch (error) {
    throw broken(error, request);
  }
  if (reply.ok) {
    heard();
    return reply;
  }
  const problem = await problemIn(reply);
  if (problem.code === 'unauthorized') refusedIdentity();
  // A proxy before it answers for a controller that is not there.
  else if (problem.code === 'unexpected-reply' && problem.status >= 502) notHeard(problem.message);
  else heard();
  throw problem;
}

/** What cut a request off. One that was cancelled from here says nothing about the controller. */
function broken(error: unknown, { signal }: StreamOptions): ProblemError | Error {
  if (signal?.aborted === true) return error instanceof Error ? error : new DOMException('cancelled', 'AbortError');
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
  const why = timedOut ? 'it took too long' : 'the connection was refused or cut';
  notHeard(why);
  return unreachable(why);
}
