import { may, organizationsOf, SERVER, targetOf } from '../../domain/access/may.ts';
import { type Identity, personOf } from '../../domain/access/identity.ts';
import { levelOf, type Permission, PERMISSIONS } from '../../domain/access/permissions.ts';
import type { AccessDeps } from '../../engine/access/deps.ts';
import { requireHelper } from '../../engine/access/helping.ts';
import { forbidden } from '../../engine/access/refusals.ts';
import { linkPath, makeLink, OWN_LINK_MS, userAtTheMachine, userByLogin } from '../../engine/access/links.ts';
import { beginSecondFactor, choosePassword, confirmSecondFactor, removeSecondFactor } from '../../engine/access/own.ts';
import { giveSecondFactor, signInByLink, type SignedIn, signInWithPassword } from '../../engine/access/sign-in.ts';
import { PENDING_MS } from '../../domain/access/sessions.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { User } from '../../ports/people-store.ts';
import type { Session } from '../../ports/sign-in-store.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Call, Handlers } from '../call.ts';
import type { SessionView, SignedInView } from '../contract/session.ts';

type Mine =
  | 'getSession'
  | 'signIn'
  | 'giveCode'
  | 'openLink'
  | 'signOut'
  | 'setPassword'
  | 'beginSecondFactor'
  | 'confirmSecondFactor'
  | 'removeSecondFactor'
  | 'listSessions'
  | 'endSession'
  | 'createSignInLink';

export function sessionHandlers(deps: ApiDeps): Pick<Handlers, Mine> {
  return {
    getSession: async (_input, call) => sessionOf(deps, call),

    signIn: async (given, call) => {
      const access = await deps.access();
      return entered(deps, access, await signInWithPassword(access, given, call.caller), call);
    },

    async giveCode({ code }, call) {
      const access = await deps.access();
      return entered(deps, access, await giveSecondFactor(access, code, call.caller), call);
    },

    async openLink({ link }, call) {
      const access = await deps.access();
      return entered(deps, access, await signInByLink(access, link, call.caller), call);
    },

    async signOut(_input, call) {
      const { store, credentials } = await deps.access();
      const { cookie } = call.caller;
      if (cookie !== null) await store.endSession({ hash: credentials.hashOf(cookie) });
      call.keepSession(null);
      return anonymous(deps);
    },

    async setPassword({ current = null, password }, call) {
      return choosePassword(await deps.access(), sessionIn(call), { current, password }, call.caller);
    },

    beginSecondFactor: async (_input, call) => beginSecondFactor(await deps.access(), sessionIn(call)),

    async confirmSecondFactor({ code }, call) {
      await confirmSecondFactor(await deps.access(), sessionIn(call), code, call.caller);
      return {};
    },

    async removeSecondFactor({ code }, call) {
      await removeSecondFactor(await deps.access(), sessionIn(call), code, call.caller);
      return {};
    },

    async listSessions(_input, call) {
      const { store, clock, rule } = await deps.access();
      const mine = sessionIn(call);
      const open = await store.sessions(mine.user, clock.now(), rule);
      return {
        sessions: open.map(({ id, method, address, agent, createdAt, seenAt, expiresAt }) => {
          return { id, method, address, agent, createdAt, seenAt, expiresAt, current: id === mine.id };
        }),
      };
    },

    async endSession({ session }, call) {
      const { store } = await deps.access();
      return { ended: await store.endSession({ user: sessionIn(call).user, id: session }) };
    },

    async createSignInLink({ login }, call) {
      const access = await deps.access();
      const { user, created } = await whoseLink(access, call.who, login ?? null);
      const by = call.who.name;
      const purpose = created ? 'first-start' : 'reset';
      const { text, expiresAt } = await makeLink(access, { user: user.id, purpose, by, lastsMs: OWN_LINK_MS });
      const path = linkPath(text);
      const address = await deps.webAddress();
      return { login: user.login, path, url: address === null ? null : `${address}${path}`, expiresAt, created };
    },
  };
}

/**
 * At the machine itself, whoever it is for. Others give a way in to those only who may no more than they do themselves: it
 * makes whoever opens it that person. Throws `user-unknown`, `user-disabled`, `forbidden`.
 */
async function whoseLink(access: AccessDeps, who: Identity, login: string | null) {
  if (who.kind === 'local' && login === null) return userAtTheMachine(access, who.name);
  if (login === null)
    throw forbidden('whoever asks from elsewhere says whom the link is for', 'one is signed in already');
  const user = await userByLogin(access, login);
  await requireHelper(access, who, user);
  return { user, created: false };
}

/** Puts the cookie into the reply, and says who one is now. */
export async function entered(
  deps: ApiDeps,
  { store, rule }: AccessDeps,
  signedIn: SignedIn,
  call: Call,
): Promise<SessionView> {
  const { cookie, user } = signedIn;
  if (signedIn.state === 'second-factor') {
    call.keepSession({ cookie, lastsMs: PENDING_MS });
    return { state: 'second-factor', login: user.login };
  }
  call.keepSession({ cookie, lastsMs: rule.absoluteMs });
  const standing = await store.standing(user.id);
  // Disabled in this moment.
  if (standing === null) return anonymous(deps);
  const who = personOf(standing);
  call.becomes(who);
  return signedInView(deps, who, signedIn.session, call);
}

async function sessionOf(deps: ApiDeps, call: Call): Promise<SessionView> {
  if (call.who.kind !== 'anonymous') return signedInView(deps, call.who, call.session, call);
  const { cookie } = call.caller;
  if (cookie === null) return anonymous(deps);
  const { store, credentials, clock } = await deps.access();
  const pending = await store.pendingSession(credentials.hashOf(cookie), clock.now());
  const user = pending === null ? null : await store.user(pending.user);
  return user === null ? anonymous(deps) : { state: 'second-factor', login: user.login };
}

async function anonymous({ access, providers }: ApiDeps): Promise<SessionView> {
  const first = !(await (await access()).store.hasAnybodySignedIn());
  return { state: 'anonymous', first, providers: providers.map(({ id, name }) => ({ id, name })) };
}

async function signedInView(
  deps: ApiDeps,
  who: Exclude<Identity, { kind: 'anonymous' }>,
  session: Session | null,
  { organizationOf }: Pick<Call, 'organizationOf'>,
): Promise<SignedInView> {
  const { store } = await deps.access();
  const userId = who.kind === 'user' ? who.id : who.kind === 'token' ? who.owner.id : null;
  const user = userId === null ? null : await store.user(userId);
  const mine = organizationsOf(who);
  const organizations = (await store.organizations()).filter(({ id }) => mine === null || mine.includes(id));
  const scopes = await deps.engine.reads.environments();
  const environments = scopes.map(({ project, environment }) => {
    const organization = organizationOf(project);
    const target = targetOf({ project, environment }, organization);
    return { project, environment, organization, permissions: allowed('environment', who, target) };
  });
  return {
    state: 'signed-in',
    who: { kind: who.kind, name: who.name, user: user === null ? null : userView(user) },
    session: session === null ? null : { id: session.id, method: session.method, expiresAt: session.expiresAt },
    server: allowed('server', who, SERVER),
    organizations: organizations.map(({ id, name }) => ({
      id,
      name,
      permissions: PERMISSIONS.filter(
        (each) => levelOf(each) !== 'server' && may(who, each, { on: 'organization', organization: id }).allowed,
      ),
    })),
    environments: environments.filter(({ permissions }) => permissions.length > 0),
  };
}

const allowed = (level: string, who: Identity, target: Parameters<typeof may>[2]): Permission[] =>
  PERMISSIONS.filter((each) => levelOf(each) === level && may(who, each, target).allowed);

const userView = ({ id, login, name, hasPassword, hasSecondFactor, runsServer }: User) => ({
  id,
  login,
  name,
  hasPassword,
  hasSecondFactor,
  runsServer,
});

/** What is about oneself needs oneself: no token changes how its owner signs in. */
export function sessionIn({ session }: Call): Session {
  if (session !== null) return session;
  throw new EvenkeelError({
    code: 'session-needed',
    what: 'this is for somebody who has signed in in a browser',
    why: 'a token, or the local command, has no password and no session of its own',
    next: 'open the dashboard: evenkeel dashboard',
  });
}
