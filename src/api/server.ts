import { timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { EvenkeelError } from '../ports/errors.ts';
import type { ApiDeps } from './api-deps.ts';
import type { ErrorReply } from './contract/contract.ts';
import { doctorRoutes } from './routes/doctor.ts';
import { logRoutes } from './routes/logs.ts';
import { maintenanceRoutes } from './routes/maintenance.ts';
import { migrationRoutes } from './routes/migrations.ts';
import { releaseRoutes } from './routes/releases.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { runRoutes } from './routes/runs.ts';
import { scaleRoutes } from './routes/scale.ts';
import { secretRoutes } from './routes/secrets.ts';
import { serverRoutes } from './routes/server.ts';
import { statusRoutes } from './routes/status.ts';
import { explainSkew, VERSION_HEADER } from './version-skew.ts';

const BODY_LIMIT = 4 * 1024 * 1024;

/** Without them Fastify loads a compiler of JSON schemas and one of serializers, a hundred files for nothing here. */
const schemaController = { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } };

function noCompiler(): never {
  throw new Error('a route has a JSON schema: requests are read by the zod schemas of the contract');
}

/** The API on Fastify, not yet listening. Every request needs the token; every refusal is an ErrorReply. */
export function createApi(deps: ApiDeps): FastifyInstance {
  const api = Fastify({ logger: false, bodyLimit: BODY_LIMIT, forceCloseConnections: true, schemaController });
  api.addHook('onRequest', async (request) => {
    if (!authorized(request.headers.authorization, deps.token))
      throw new EvenkeelError({
        code: 'unauthorized',
        what: 'the controller does not know you',
        why: 'the token of the request is missing or wrong',
        next: 'run evenkeel as the user who started it, with the same EVENKEEL_HOME',
      });
    deps.mayAnswer();
  });
  api.setErrorHandler(async (error, request, reply) => {
    const refused = errorReply(error, deps.server.home);
    const said =
      error instanceof z.ZodError
        ? explainSkew(refused, request.headers[VERSION_HEADER], deps.server.version)
        : refused;
    if (said.code === 'unexpected') {
      const stack = error instanceof Error ? error.stack : undefined;
      deps.engine.deps.log.error({ stack }, error instanceof Error ? error.message : String(error));
    }
    return reply.status(statusOf(said)).send(said);
  });
  api.setNotFoundHandler(async (request, reply) =>
    reply
      .status(404)
      .send(
        explainSkew(
          errorReply(new EvenkeelError({ code: 'not-found', what: `there is no ${request.method} ${request.url}` })),
          request.headers[VERSION_HEADER],
          deps.server.version,
        ),
      ),
  );
  for (const routes of [
    serverRoutes,
    statusRoutes,
    rolloutRoutes,
    releaseRoutes,
    runRoutes,
    scaleRoutes,
    migrationRoutes,
    logRoutes,
    maintenanceRoutes,
    secretRoutes,
    doctorRoutes,
  ])
    routes(api, deps);
  return api;
}

function authorized(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function errorReply(error: unknown, home = ''): ErrorReply {
  if (error instanceof EvenkeelError) {
    const { code, message, where, why, next, retryable, exit } = error;
    return { code, what: message, where, why, next, retryable, exit };
  }
  if (error instanceof z.ZodError) {
    const why = error.issues.map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`).join('; ');
    return {
      code: 'bad-request',
      what: 'the request cannot be read',
      where: null,
      why,
      next: null,
      retryable: false,
      exit: 1,
    };
  }
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  // What V8 says about text that is no JSON shows a piece of it, and that could be a secret.
  const what =
    error instanceof SyntaxError ? 'the request is not JSON' : error instanceof Error ? error.message : String(error);
  if (status < 500) return { code: 'bad-request', what, where: null, why: null, next: null, retryable: false, exit: 1 };
  return {
    code: 'unexpected',
    what: 'something unexpected happened in the controller',
    where: null,
    why: what,
    next: `the controller's log tells more: ${home}/logs/controller.log`,
    retryable: false,
    exit: 2,
  };
}

function statusOf(error: ErrorReply): number {
  if (error.code === 'unauthorized') return 401;
  if (error.code === 'not-found' || error.code.endsWith('-unknown')) return 404;
  if (error.code === 'rollout-under-way') return 409;
  if (error.code === 'unexpected') return 500;
  return error.retryable ? 503 : error.exit === 1 ? 400 : 422;
}
