import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Raw } from '../core/api.ts';
import type { Api, Call, Reply } from '../core/api.ts';
import { faultError } from '../core/faults.ts';
import type { Fault } from '../core/faults.ts';
import { GoogleError, invalid, notFound, notModelled } from '../core/google-error.ts';
import type { World } from '../core/world.ts';
import { isObject } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { checkParameter, checkReply, checkRequest } from '../schema/check.ts';
import { checkOperation } from '../schema/check-operation.ts';
import { readBody, jsonOf } from './body.ts';
import { authenticate, requireService } from './gates.ts';
import { projectOf } from './project-of.ts';
import { checkQuery } from './query.ts';
import type { Found } from './router.ts';
import type { Target } from './target.ts';
import type { Uploads } from './uploads.ts';

/** What becomes of a request: an answer, or a connection that is cut or left hanging. */
export type Outcome = { reply: Reply } | { cut: true } | { hang: true };

/** One call of a method that was found: everything between the path and the bytes of the answer. */
export async function dispatch(
  { world, uploads, signal }: { world: World; uploads: Uploads; signal: AbortSignal },
  request: IncomingMessage,
  target: Target,
  found: Found,
): Promise<Outcome> {
  const { api, route } = found;
  const { method, document } = route;
  const bytes = await readBody(request);
  const service = serviceOf(api, document.rootUrl);
  const faults = world.faults.of(method.id);
  for (const fault of faults) {
    const error = faultError(fault, service, api.errors ?? 'details');
    if (error !== null) throw error;
    if (fault.do === 'slow') await sleep(fault.ms, undefined, { signal });
    if (fault.do === 'hang') return { hang: true };
    if (fault.do === 'cut' && fault.when === 'before') return { cut: true };
  }

  const caller = authenticate(request, target, world, { service, method: method.id });
  const path = Object.fromEntries(
    Object.entries(found.path).map(([name, text]) => [name, world.projects.normal(text)]),
  );
  const upload = route.upload ? received(uploads, request, target, bytes) : null;
  if (upload instanceof Raw) return { reply: upload };
  const query = upload?.query ?? target.query;
  checkQuery(document, method, query);
  for (const [name, schema] of Object.entries(method.parameters ?? {})) {
    const text = schema.location === 'path' ? path[name] : null;
    if (text === undefined || text === null) continue;
    const violations = checkParameter(document, schema, name, text);
    if (violations.length > 0) throw invalid(violations[0]?.description ?? '', violations);
  }
  const project = projectOf(world, path, query);
  if (project !== null && api.service !== null) requireService(world, project, service, method.id);

  const body = bodyOf(found, upload?.metadata ?? (route.upload ? {} : jsonOf(bytes)));
  const handler = api.handlers[method.id];
  if (handler === undefined) throw notModelled(`${method.id} of ${document.file}`);
  const call: Call = {
    method,
    at: (name) => path[name] ?? '',
    query: (name) => query.get(name) ?? undefined,
    all: (name) => query.getAll(name),
    body,
    media: upload?.media ?? null,
    caller,
    project,
    origin: target.origin,
    headers: request.headers,
  };
  const failure = plannedFailure(faults);
  if (failure !== null) world.operations.failNextWith(failure);
  const reply = await handler(call, world);
  if (!(reply instanceof Raw)) checkOwn(world, found, reply);
  await world.state.flush();
  if (faults.some((fault) => fault.do === 'cut')) return { cut: true };
  return { reply: method.response === undefined && !(reply instanceof Raw) ? new Raw(204, {}) : reply };
}

export const serviceOf = (api: Api, rootUrl: string): string => api.service ?? new URL(rootUrl).host;

function received(uploads: Uploads, request: IncomingMessage, target: Target, bytes: Buffer): ReceivedUpload | Raw {
  const { headers } = request;
  const { query, path, origin } = target;
  const id = query.get('upload_id');
  if (id !== null) {
    const { session, end } = uploads.resume(id, headers, bytes);
    return end instanceof Raw ? end : { ...end, query: session.query };
  }
  const end = uploads.receive({ query, path, origin, headers, bytes });
  return end instanceof Raw ? end : { ...end, query };
}

interface ReceivedUpload {
  metadata: JsonObject;
  media: { bytes: Buffer; contentType: string };
  query: URLSearchParams;
}

/** Fields that the older APIs' patches take away are said by null. */
const KEEPS_NULLS = /^(storage|sqladmin)\./;

function bodyOf({ route: { document, method } }: Found, given: ReturnType<typeof jsonOf>): JsonObject {
  if (method.request === undefined) {
    if (isObject(given) && Object.keys(given).length === 0) return {};
    throw invalid(`${method.id} takes no body.`);
  }
  const keepNulls = method.httpMethod === 'PATCH' && KEEPS_NULLS.test(document.file);
  const { body, violations } = checkRequest(document, method.request.$ref, given, { keepNulls });
  if (violations.length === 0) return body;
  throw invalid(violations.map(({ description }) => description).join('\n'), violations);
}

/** The emulator's own word is checked like everybody's: a reply that no client could read is a bug of ours, and said. */
function checkOwn(world: World, { route: { document, method } }: Found, reply: JsonObject): void {
  const name = method.response?.$ref;
  const violations =
    name === undefined
      ? Object.keys(reply).map((field) => ({ field, description: 'there is no response' }))
      : [...checkReply(document, name, reply), ...checkOperation(document, name, reply)];
  if (violations.length === 0) return;
  const what = violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
  world.calls.breach(`${document.file} ${method.id}: ${what}`);
  throw new GoogleError('INTERNAL', `The emulator's own reply to ${method.id} breaks the schema: ${what}`);
}

function plannedFailure(faults: readonly Fault[]): GoogleError | null {
  const found = faults.find((fault) => fault.do === 'fail-operation');
  return found?.do === 'fail-operation'
    ? new GoogleError(found.status, found.message ?? `planned fault: ${found.status}`)
    : null;
}

export const unknownPath = (target: Target): GoogleError =>
  notFound(`The requested URL ${target.path} was not found: no API at ${target.host} has such a method.`);
