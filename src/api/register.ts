import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Identity } from '../domain/access/identity.ts';
import { may, type Scope, SERVER } from '../domain/access/may.ts';
import type { Permission } from '../domain/access/permissions.ts';
import { isAbsence } from '../engine/emergency/reads.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { Asked } from './audit.ts';
import { homeOfNew, ownedBy, type Owners, requirePermission, targetIn, unknownTarget } from './authorize.ts';
import type { Call, Download, Handlers, Sent } from './call.ts';
import { change, type Guards, signing } from './changing.ts';
import { KEY_HEADER } from './contract/headers.ts';
import type { DownloadOperation, Operation, StreamOperation } from './contract/operation.ts';
import { operations } from './contract/operations.ts';
import { inQuery, isChanging, type OperationId, routeOf } from './contract/paths.ts';
import { writeDownload } from './download.ts';
import { isFromWeb } from './doors.ts';
import { notSignedIn, type Recognised } from './identify.ts';
import { OPEN_BODY_LIMIT } from './problems.ts';
import { requireReadable } from './readable.ts';
import { rolloutUnknown } from './routes/rollouts.ts';
import type { SessionCookie } from './session-cookie.ts';
import { writeEvents } from './sse.ts';
import type { Usage } from './usage.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of the contract; other routes have none. */
    operation?: OperationId;
    /** Asked by anybody, without saying who they are. */
    open?: boolean;
    /** Of the server, for what is no operation. */
    permission?: Permission;
  }
}

export interface Doors {
  /** Throws EvenkeelError `unauthorized`. */
  recognise(request: FastifyRequest, fresh?: boolean): Promise<Recognised>;
  /** What a rollout is of; throws EvenkeelError `rollout-unknown`. */
  scopeOfRollout(id: string): Promise<Scope>;
  /** Throws EvenkeelError `too-many-streams`; the result is called when it has ended. */
  openStream(who: Identity, address: string): () => void;
  /** What was known of people and tokens is not what it was. */
  forget(): void;
  /** Default: STILL_EVERY_MS. */
  readonly stillEveryMs?: number | undefined;
  /** See sse.ts. */
  readonly patienceMs?: number | undefined;
  readonly owners: Owners;
  readonly cookies: SessionCookie;
}

type AnyOperation = Operation | StreamOperation | DownloadOperation;

/** So often is asked anew whether whoever follows a stream still may, ms. */
const STILL_EVERY_MS = 10_000;

/** Gives every operation of the contract its route: who asks, what they ask, whether they may, then the handler. */
export function register(api: FastifyInstance, handlers: Handlers, doors: Doors, guards: Guards, usage: Usage): void {
  for (const [id, operation] of Object.entries(operations) as [OperationId, AnyOperation][]) {
    const { method, path } = routeOf(id);
    const read = inputReader(id, operation);
    // Input and reply of one operation belong together by the type of `handlers`, which is lost in a loop over them.
    const handler = handlers[id] as (input: unknown, call: Call) => Promise<unknown>;
    api.route({
      method,
      url: path,
      ...(operation.open === true ? { bodyLimit: OPEN_BODY_LIMIT } : {}),
      config: { operation: id, ...(operation.open === true ? { open: true } : {}) },
      async handler(request, reply) {
        const asking: Asking = { ...(await doors.recognise(request)) };
        if (asking.who.kind !== 'local') await doors.owners.look();
        const call = callOf(asking, request, reply, doors);
        const asked = askedBy(request, id, asking);
        const admit = async (): Promise<Record<string, unknown>> => {
          const input = read(request);
          await authorize(id, asking.who, operation, input, doors);
          return input;
        };
        const act = (input: Record<string, unknown>): Promise<unknown> => {
          const acting = handler(input, call);
          // Also when it fails: nobody knows then how far it came.
          return isChanging(id) && changesWhoMay(path) ? acting.finally(doors.forget) : acting;
        };
        const key = operation.shownOnce === true ? undefined : request.headers[KEY_HEADER];
        if (operation.open === true && isChanging(id))
          return signing(guards, { ...asked, id }, () => asking.who, admit, act);
        if (!('stream' in operation || 'download' in operation))
          return isChanging(id) ? change(guards, { ...asked, id }, key, admit, act) : act(await admit());
        const input = await admit();
        // Whoever asks for the head of a stream would hold one of which nothing ever comes.
        if (request.method === 'HEAD') return reply.send();
        if ('download' in operation) {
          const download = await act(input);
          reply.hijack();
          await writeDownload(reply.raw, download as Download, call.signal);
          return reply;
        }
        const closed = isFromWeb(request.raw)
          ? doors.openStream(asking.who, asking.caller.address ?? '')
          : (): void => undefined;
        if (reply.raw.closed) closed();
        else reply.raw.once('close', closed);
        const answer = await act(input);
        reply.hijack();
        const ended = usage.opened();
        const still = setInterval(() => {
          const looked = lookAgain(asking, request, doors).then(() =>
            authorize(id, asking.who, operation, input, doors),
          );
          looked.catch((error: unknown) => {
            if (!isAbsence(error)) call.cut();
          });
        }, doors.stillEveryMs ?? STILL_EVERY_MS);
        await writeEvents(reply.raw, answer as AsyncIterable<Sent<unknown>>, call.signal, doors.patienceMs).finally(
          () => {
            clearInterval(still);
            ended();
          },
        );
        return reply;
      },
    });
  }
}

/** Whether it is about people, and what they and their programs may. */
const changesWhoMay = (path: string): boolean =>
  /\/(organizations|users|tokens|sessions?|accounts)(\/|$)|\/organization$/.test(path);

/** Who asks; with time, or by signing in, it may be somebody else. */
type Asking = { -readonly [Key in keyof Recognised]: Recognised[Key] };

/** A session that has ended, or a token that was revoked, shows nothing more. */
async function lookAgain(asking: Asking, request: FastifyRequest, doors: Doors): Promise<void> {
  const now = await doors.recognise(request, true);
  if (now.who.kind === 'anonymous') throw notSignedIn();
  if (now.who.kind !== 'local') await doors.owners.look();
  Object.assign(asking, now);
}

const askedBy = ({ params }: FastifyRequest, id: OperationId, { who, caller }: Recognised): Omit<Asked, 'id'> => ({
  who,
  // A Unix socket has no address.
  source: caller.address ?? 'socket',
  named: params as Record<string, unknown>,
});

async function authorize(
  id: OperationId,
  who: Identity,
  { permission, perItem, open }: AnyOperation,
  input: Record<string, unknown>,
  { owners, scopeOfRollout }: Doors,
): Promise<void> {
  if (open === true) return;
  if (who.kind === 'anonymous') throw notSignedIn();
  if (permission === null || perItem === true) return;
  const { rollout, inOrganization } = input;
  let target = await targetIn(permission, input, owners, scopeOfRollout);
  if (target.on === 'environment' && target.organization === null && permission === 'environment:deploy') {
    const home = homeOfNew(who, target, typeof inOrganization === 'string' ? inOrganization : null);
    target = { ...target, organization: home };
  }
  requirePermission(who, permission, target, (foreign) =>
    typeof rollout === 'string' ? rolloutUnknown(rollout) : unknownTarget(foreign),
  );
  if (id !== 'deploy' || target.on !== 'environment' || target.organization === null) return;
  // Of two who name a new project alike at once, one has it.
  const owner = await owners.claim(target.project, target.organization);
  if (owner !== target.organization && who.kind !== 'local') throw unknownTarget(target);
}

function callOf(asking: Asking, request: FastifyRequest, reply: FastifyReply, { owners, cookies }: Doors): Call {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const last = request.headers['last-event-id'];
  return {
    get who() {
      return asking.who;
    },
    session: asking.session,
    caller: asking.caller,
    organizationOf: (project) => owners.of(project),
    may: (permission, scope) => may(asking.who, permission, scope === null ? SERVER : ownedBy(owners, scope)).allowed,
    keepSession(session) {
      if (session === null) cookies.forget(reply);
      else cookies.set(reply, session.cookie, session.lastsMs);
    },
    becomes: (who) => void (asking.who = who),
    signal: gone.signal,
    lastEventId: typeof last === 'string' && last !== '' ? last : null,
    cut: () => void reply.raw.destroy(),
    afterReply: (callback) => void reply.raw.once('finish', callback),
  };
}

/** Puts together what path, query and body say. In path and query everything is text: numbers and booleans are read. */
function inputReader(id: OperationId, { input }: Operation): (request: FastifyRequest) => Record<string, unknown> {
  const { method, names } = routeOf(id);
  // When it is asked first: a controller that starts has no time for what nobody may ask.
  let kinds: Record<string, unknown> | null = null;
  const kindOf = (name: string): string | undefined => {
    kinds ??= z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }).properties ?? {};
    return (kinds[name] as { type?: string } | undefined)?.type;
  };
  const read = (values: unknown, only?: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries((values ?? {}) as Record<string, unknown>)
        .filter(([name]) => only === undefined || only.includes(name))
        .map(([name, value]) => [name, fromText(kindOf(name), value)]),
    );
  return (request) => {
    const rest = inQuery(method) ? read(request.query) : asObject(request.body);
    const asked = { ...rest, ...read(request.params, names) };
    requireReadable(asked);
    return input.parse(asked);
  };
}

function asObject(body: unknown): Record<string, unknown> {
  if (body === undefined || body === null) return {};
  if (typeof body === 'object' && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new EvenkeelError({
    code: 'bad-request',
    what: 'the request cannot be read',
    why: 'its body is no JSON object',
  });
}

/** What cannot be read stays as it is, and the schema says what is wrong with it. */
function fromText(type: string | undefined, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  if (type === 'integer' || type === 'number') return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return value;
}
