import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Identity, NOBODY } from '../domain/access/identity.ts';
import { type Scope, SERVER } from '../domain/access/may.ts';
import { EvenkeelError } from '../ports/errors.ts';
import { addressOf } from './address.ts';
import type { ApiDeps } from './api-deps.ts';
import { createAudit } from './audit.ts';
import { openOwners, requirePermission, unknownTarget } from './authorize.ts';
import type { Handlers } from './call.ts';
import { signInElsewhere } from './elsewhere.ts';
import { isFromWeb } from './doors.ts';
import { VERSION_HEADER } from './contract/headers.ts';
import { onceByKey } from './idempotency.ts';
import { isOpen, serveDashboard } from './dashboard.ts';
import { identifier, notSignedIn, type Recognised } from './identify.ts';
import { asRefusal, BODY_LIMIT, problemOf, retryAfterS, withoutInternals } from './problems.ts';
import { methodsOf } from './methods.ts';
import { register } from './register.ts';
import { handlersOf } from './handlers.ts';
import { healthRoutes, OPEN } from './routes/health.ts';
import { findRollout } from './routes/rollouts.ts';
import { sessionCookie } from './session-cookie.ts';
import { DATA_HEADERS } from './shield-headers.ts';
import { limitIdentities, limitStreams, shieldWeb } from './shield.ts';
import { countUsage } from './usage.ts';
import { explainSkew } from './version-skew.ts';

const PROBLEM_TYPE = 'application/problem+json';

function sendProblem(reply: FastifyReply, refused: EvenkeelError): FastifyReply {
  const problem = problemOf(refused);
  // https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  const wait = retryAfterS(problem.status, refused);
  if (wait !== null) void reply.header('retry-after', String(wait));
  return reply.status(problem.status).type(PROBLEM_TYPE).send(problem);
}

function notThere({ method, url }: FastifyRequest, allowed: readonly string[]): EvenkeelError {
  const asked = `${method} ${url.slice(0, 500)}`;
  if (allowed.length === 0) return new EvenkeelError({ code: 'not-found', what: `there is no ${asked}` });
  const next = `there is ${allowed.join(', ')}`;
  return new EvenkeelError({ code: 'method-not-allowed', what: `there is no ${asked}`, next });
}

/** Without them Fastify loads a compiler of JSON schemas and one of serializers, a hundred files for nothing here. */
const schemaController = { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } };

function noCompiler(): never {
  throw new Error('a route has a JSON schema: requests are read by the zod schemas of the contract');
}

/** The API on Fastify, not yet listening. Whoever asks has to say who they are; every refusal is a Problem. */
export function createApi(deps: ApiDeps, handlers: Handlers = handlersOf(deps)): FastifyInstance {
  const api = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    schemaController,
    // Longer ones are refused by the contract, by the name of the field.
    routerOptions: { maxParamLength: 16 * 1024 },
    // What cannot be taken for a path passes no hook.
    frameworkErrors(error, _request, reply) {
      void reply.headers(DATA_HEADERS);
      void sendProblem(reply, asRefusal(error, deps.server.home));
    },
  });
  const usage = countUsage(api);
  const addressIn = ({ raw }: FastifyRequest): string => addressOf(raw, deps.door.trusts) ?? '';
  shieldWeb(api, { elapsed: () => performance.now(), addressOf: addressIn, door: deps.door });
  const cookies = sessionCookie({ home: deps.engine.deps.digest(deps.server.home).slice(0, 8), secure: deps.secure });
  const identify = identifier(deps, cookies);
  const known = new WeakMap<FastifyRequest, Recognised>();
  const perIdentity = limitIdentities(() => performance.now());
  api.addHook('onRequest', async (request) => {
    const limit = (who: Identity): void => (isFromWeb(request.raw) ? perIdentity(who, addressIn(request)) : undefined);
    if (isOpen(request) && request.routeOptions.config.operation === undefined) return limit(NOBODY);
    const recognised = await identify(request);
    known.set(request, recognised);
    limit(recognised.who);
    if (!isOpen(request) && recognised.who.kind === 'anonymous') throw notSignedIn();
    deps.mayAnswer();
    const { permission } = request.routeOptions.config;
    if (permission !== undefined) requirePermission(recognised.who, permission, SERVER, unknownTarget);
  });
  api.setErrorHandler(async (error, request, reply) => {
    const refused = asRefusal(error, deps.server.home, request.routeOptions.bodyLimit);
    if (refused.code === 'unexpected') {
      const stack = error instanceof Error ? error.stack : undefined;
      deps.engine.deps.log.error({ stack }, error instanceof Error ? error.message : String(error));
    }
    const said =
      error instanceof z.ZodError
        ? explainSkew(refused, request.headers[VERSION_HEADER], deps.server.version)
        : refused;
    return sendProblem(reply, isFromWeb(request.raw) ? withoutInternals(said) : said);
  });
  api.setNotFoundHandler(async (request, reply) => {
    const allowed = methodsOf(request.url);
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '));
    const unknown = notThere(request, allowed);
    return sendProblem(reply, explainSkew(unknown, request.headers[VERSION_HEADER], deps.server.version));
  });
  const scopeOfRollout = (id: string): Promise<Scope> => findRollout(deps, id);
  const owners = openOwners(deps);
  const guards = { audit: createAudit(deps, scopeOfRollout, owners), once: onceByKey(deps) };
  const recognise = async (request: FastifyRequest, fresh = false): Promise<Recognised> =>
    (fresh ? undefined : known.get(request)) ?? identify(request);
  const doors = {
    recognise,
    openStream: limitStreams(deps.streamsOfOne),
    forget: identify.forget,
    scopeOfRollout,
    owners,
    cookies,
    stillEveryMs: deps.stillEveryMs,
    patienceMs: deps.patienceMs,
  };
  register(api, handlers, doors, guards, usage);
  healthRoutes(api, deps, usage);
  if (deps.oidc !== undefined) signInElsewhere(api, deps, deps.oidc, { cookies, forget: identify.forget });
  let document: object | null = null;
  api.get('/openapi.json', OPEN, async () => {
    const { openApi } = await import('./openapi.ts');
    return (document ??= openApi(deps.server.version));
  });
  if (deps.dashboard !== undefined) serveDashboard(api, deps.dashboard);
  return api;
}
