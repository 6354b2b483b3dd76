import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { NOBODY } from '../domain/access/identity.ts';
import type { AuditContent } from '../domain/audit/entry.ts';
import type { OidcOutcome } from '../engine/access/oidc.ts';
import { EvenkeelError } from '../ports/errors.ts';
import { addressOf } from './address.ts';
import type { ApiDeps } from './api-deps.ts';
import { oidcRoutes } from './routes/oidc.ts';
import type { SessionCookie } from './session-cookie.ts';

/** Gives those who sign in elsewhere their pages, and writes down who came. */
export function signInElsewhere(
  api: FastifyInstance,
  deps: ApiDeps,
  elsewhere: NonNullable<ApiDeps['oidc']>,
  { cookies, forget }: { cookies: SessionCookie; forget: () => void },
): void {
  oidcRoutes(api, {
    async oidc() {
      deps.mayAnswer();
      return elsewhere.open();
    },
    caller: ({ raw, headers }) => ({
      address: addressOf(raw, deps.door.trusts),
      agent: headers['user-agent'] ?? null,
      cookie: cookies.read(headers.cookie),
    }),
    opened: (reply, { cookie }, { absoluteMs }) => cookies.set(reply, cookie, absoluteMs),
    told(request, provider, came) {
      // Claims have given and taken roles.
      forget();
      return tell(deps, request, provider, came);
    },
    publicUrl: elsewhere.publicUrl,
    log: deps.engine.deps.log,
    home: deps.server.home,
  });
}

/** What a stranger could make happen without end, or what says nothing of anybody. */
const UNWORTHY: ReadonlySet<string> = new Set([
  'oidc-not-begun',
  'oidc-state-wrong',
  'oidc-replayed',
  'provider-unknown',
  'sign-in-limited',
]);

async function tell(
  { audit, engine, redact, door }: ApiDeps,
  { raw }: FastifyRequest,
  provider: string,
  came: OidcOutcome | EvenkeelError,
): Promise<void> {
  const failed = came instanceof EvenkeelError;
  if (failed && UNWORTHY.has(came.code)) return;
  const user = failed ? null : came.as === 'linked' ? came.user : came.signedIn.user;
  const begun: AuditContent = {
    id: randomUUID(),
    at: engine.deps.clock.now(),
    kind: 'asked',
    about: null,
    identity: user === null ? NOBODY.kind : 'user',
    who: await redact(user?.login ?? NOBODY.name),
    source: addressOf(raw, door.trusts) ?? 'socket',
    operation: !failed && came.as === 'linked' ? 'linkAccount' : 'signInElsewhere',
    organization: null,
    project: null,
    environment: null,
    service: null,
    rollout: null,
    result: null,
    code: null,
    detail: JSON.stringify({ input: { name: provider } }),
  };
  const after = failed ? { message: await redact(came.message) } : came.as === 'linked' ? {} : { isNew: came.isNew };
  const answered: AuditContent = {
    ...begun,
    id: randomUUID(),
    at: engine.deps.clock.now(),
    kind: 'answered',
    about: begun.id,
    result: failed ? (came.exit === 1 ? 'refused' : 'failed') : 'done',
    code: failed ? came.code : null,
    detail: JSON.stringify({ after }),
  };
  await audit.write([begun, answered], { hurry: false });
}
