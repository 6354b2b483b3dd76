import type { z } from 'zod';
import type { DownloadOperation, StreamOperation } from './operation.ts';
import type { Operations } from './operations.ts';
import { inQuery, type Method, type OperationId, paths, routeOf } from './paths.ts';

/** What one asks, before defaults are filled in. */
export type InputOf<Id extends OperationId> = z.input<Operations[Id]['input']>;
export type ReplyOf<Id extends OperationId> = z.output<Operations[Id]['reply']>;

type StreamId = { [Id in OperationId]: Operations[Id] extends StreamOperation ? Id : never }[OperationId];

type DownloadId = { [Id in OperationId]: Operations[Id] extends DownloadOperation ? Id : never }[OperationId];

/** One event of a stream. Null: nothing has happened for a while, and the line is alive. */
export interface StreamedEvent<T> {
  /** What to resume after. */
  readonly id: string | null;
  readonly data: T;
}

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

export interface StreamOptions {
  signal?: AbortSignal;
  lastEventId?: string;
}

/** Every operation of the API by its name. All throw what the transport makes of a Problem. */
export type ApiClient = {
  readonly [Id in OperationId]: Id extends StreamId
    ? (input: InputOf<Id>, options?: StreamOptions) => AsyncGenerator<StreamedEvent<ReplyOf<Id>> | null>
    : Id extends DownloadId
      ? /** Its lines, without their ends. */
        (input: InputOf<Id>, options?: CallOptions) => AsyncGenerator<string>
      : (input: InputOf<Id>, options?: CallOptions) => Promise<ReplyOf<Id>>;
};

export interface ApiRequest extends CallOptions {
  readonly operation: OperationId;
  readonly method: Method;
  /** With its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** How requests travel: over the controller's socket for commands, over HTTP for the dashboard. */
export interface Transport {
  json(request: ApiRequest): Promise<unknown>;
  lines(request: ApiRequest): AsyncGenerator<string>;
  events(request: ApiRequest & StreamOptions): AsyncGenerator<{ id: string | null; data: string } | null>;
}

const STREAMS: ReadonlySet<OperationId> = new Set<StreamId>(['followRollout', 'followChanges', 'readLogs']);
const DOWNLOADS: ReadonlySet<OperationId> = new Set<DownloadId>(['exportAudit']);

export function apiClient(transport: Transport): ApiClient {
  const call =
    (id: OperationId) =>
    (input: Record<string, unknown>, options: CallOptions & StreamOptions = {}) => {
      const request = { ...requestOf(id, input), ...options };
      if (DOWNLOADS.has(id)) return transport.lines(request);
      return STREAMS.has(id) ? parsed(transport.events(request)) : transport.json(request);
    };
  const ids = Object.keys(paths) as OperationId[];
  // What is checked here is the table of types above; at run time every operation is one and the same function.
  return Object.fromEntries(ids.map((id) => [id, call(id)])) as unknown as ApiClient;
}

async function* parsed(
  events: AsyncGenerator<{ id: string | null; data: string } | null>,
): AsyncGenerator<StreamedEvent<unknown> | null> {
  for await (const event of events) yield event === null ? null : { id: event.id, data: JSON.parse(event.data) };
}

/** Where an input goes: into the path by name, and what is left into the query or the body. */
function requestOf(id: OperationId, input: Record<string, unknown>): ApiRequest {
  const { method, path, names } = routeOf(id);
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(asText(input[name])));
  const rest = Object.entries(input).filter(([name, value]) => value !== undefined && !names.includes(name));
  if (!inQuery(method)) return { operation: id, method, path: filled, body: Object.fromEntries(rest) };
  const query = new URLSearchParams(
    rest.flatMap(([name, value]) => (value === null ? [] : [[name, asText(value)] as [string, string]])),
  );
  return { operation: id, method, path: query.size === 0 ? filled : `${filled}?${query.toString()}` };
}

/** In path and query there are texts, numbers and booleans only. */
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
