import type { ApiDeps } from './api-deps.ts';
import type { ChangingId } from './contract/paths.ts';
import type { User } from '../ports/people-store.ts';
import type { Telling } from './told.ts';

type OfPeople =
  | 'createOrganization'
  | 'renameOrganization'
  | 'removeOrganization'
  | 'moveProject'
  | 'invitePerson'
  | 'removePerson'
  | 'addGrant'
  | 'removeGrant'
  | 'makeSignInLink'
  | 'removeSecondFactorOf'
  | 'setRunsServer'
  | 'setDisabled'
  | 'removeUser'
  | 'saveRole'
  | 'removeRole'
  | 'createToken'
  | 'revokeToken';

/** Of acts about people: whom they concern by name, what they gave or took, and never a link or a token itself. */
export const TOLD_OF_PEOPLE: { readonly [Id in OfPeople & ChangingId]: Telling<Id> } = {
  createOrganization: { input: ({ name }) => ({ name }), after: ({ organization }) => ({ organization }) },
  renameOrganization: {
    input: ({ name }) => ({ name }),
    before: async ({ organization }, deps) => ({ name: await nameOf(organization, deps) }),
  },
  removeOrganization: {
    input: () => ({}),
    before: async ({ organization }, deps) => ({ name: await nameOf(organization, deps) }),
  },
  moveProject: { input: ({ organization }) => ({ to: organization }), after: (reply) => reply },

  invitePerson: {
    input: ({ login, name, grants }) => ({ login, name: name ?? null, grants }),
    after: ({ user, link }) => ({ user: user.id, link: link === null ? null : { expiresAt: link.expiresAt } }),
  },
  removePerson: {
    input: ({ user }) => ({ user }),
    before: ({ organization, user }, deps) => memberTold(organization, user, deps),
  },
  addGrant: {
    input: ({ organization: _, ...rest }) => rest,
    before: async ({ organization, user }, deps) => ({
      login: (await memberIn(organization, user, deps))?.login ?? null,
    }),
    after: ({ grant }) => ({ grant: grant.id }),
  },
  removeGrant: {
    input: ({ user, grant }) => ({ user, grant }),
    async before({ organization, user, grant }, deps) {
      const found = await (await deps.access()).store.grant(organization, grant);
      if (found === null) return null;
      const { role, project, environment } = found;
      return { login: (await memberIn(organization, user, deps))?.login ?? null, role, project, environment };
    },
  },
  makeSignInLink: {
    input: ({ user, purpose }) => ({ user, purpose }),
    before: async ({ organization, user }, deps) => ({
      login: (await memberIn(organization, user, deps))?.login ?? null,
    }),
    after: ({ link }) => ({ expiresAt: link.expiresAt }),
  },
  removeSecondFactorOf: {
    input: ({ user }) => ({ user }),
    before: ({ organization, user }, deps) => memberUserTold(organization, user, deps),
    after: (_, { organization, user }, deps) => memberUserTold(organization, user, deps),
  },

  setRunsServer: {
    input: ({ user, runsServer }) => ({ user, runsServer }),
    before: ({ user }, deps) => userTold(user, deps),
    after: (_, { user }, deps) => userTold(user, deps),
  },
  setDisabled: {
    input: ({ user, disabled }) => ({ user, disabled }),
    before: ({ user }, deps) => userTold(user, deps),
    after: (_, { user }, deps) => userTold(user, deps),
  },
  removeUser: { input: ({ user }) => ({ user }), before: ({ user }, deps) => userTold(user, deps) },

  saveRole: {
    input: ({ role, permissions }) => ({ role, permissions }),
    before: ({ organization, role }, deps) => roleTold(organization, role, deps),
    after: ({ role }) => ({ permissions: role.permissions }),
  },
  removeRole: {
    input: ({ role }) => ({ role }),
    before: ({ organization, role }, deps) => roleTold(organization, role, deps),
  },

  createToken: {
    input: ({ organization: _, user, ...rest }) => ({ ...rest, user: user ?? null }),
    after: ({ token: { id, prefix, owner, organization, permissions, project, environment, expiresAt } }) => ({
      token: id,
      prefix,
      owner: owner.login,
      organization,
      permissions,
      project,
      environment,
      expiresAt,
    }),
  },
  revokeToken: {
    input: ({ token }) => ({ token }),
    organization: async ({ token }, { access }) =>
      (await (await access()).store.tokenById(token))?.scope.organization ?? null,
    async before({ token: id }, deps) {
      const { store } = await deps.access();
      const token = await store.tokenById(id);
      return token && { name: token.name, prefix: token.prefix, owner: await loginOf(token.user, deps) };
    },
  },
};

async function nameOf(organization: string, { access }: ApiDeps): Promise<string | null> {
  return (await (await access()).store.organization(organization))?.name ?? null;
}

async function loginOf(user: string, { access }: ApiDeps): Promise<string | null> {
  return (await (await access()).store.user(user))?.login ?? null;
}

/** Null also for who is in other organizations alone: an audit tells nothing of those, whatever id was asked for. */
async function memberIn(organization: string, user: string, { access }: ApiDeps): Promise<User | null> {
  const { store } = await access();
  const member = (await store.members(organization)).find((each) => each.user.id === user);
  if (member !== undefined) return member.user;
  const standing = await store.standing(user);
  return standing?.memberships.length === 0 ? store.user(user) : null;
}

async function memberUserTold(organization: string, user: string, deps: ApiDeps) {
  return (await memberIn(organization, user, deps)) === null ? null : userTold(user, deps);
}

async function userTold(id: string, { access }: ApiDeps) {
  const user = await (await access()).store.user(id);
  if (user === null) return null;
  const { login, runsServer, hasSecondFactor, disabledAt } = user;
  return { login, runsServer, hasSecondFactor, disabled: disabledAt !== null };
}

async function memberTold(organization: string, user: string, { access }: ApiDeps) {
  const member = (await (await access()).store.members(organization)).find((each) => each.user.id === user);
  if (member === undefined) return null;
  const grants = member.grants.map(({ role, project, environment }) => ({ role, project, environment }));
  return { login: member.user.login, grants };
}

async function roleTold(organization: string, name: string, { access }: ApiDeps) {
  const role = (await (await access()).store.roles(organization)).find((each) => each.name === name);
  return role === undefined ? null : { permissions: role.permissions };
}
