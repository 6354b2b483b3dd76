import { mayGrant, mayHelp, mayRemove } from '../../domain/access/granting.ts';
import { type Identity, personOf } from '../../domain/access/identity.ts';
import type { Role } from '../../domain/access/roles.ts';
import type { AccessDeps } from '../../engine/access/deps.ts';
import { dropSecondFactor, linkFor } from '../../engine/access/helping.ts';
import { requireOrganization } from '../../engine/access/organizations.ts';
import { grantRole, heldGrant, invite, removePerson, takeGrant } from '../../engine/access/people.ts';
import type { Member, StoredGrant, User } from '../../ports/people-store.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import type { GrantView, MemberView, UserView } from '../contract/people.ts';

type Mine =
  | 'listPeople'
  | 'invitePerson'
  | 'removePerson'
  | 'addGrant'
  | 'removeGrant'
  | 'makeSignInLink'
  | 'removeSecondFactorOf';

/** Links go out of here once, and are kept nowhere. */
export function peopleHandlers({ access }: ApiDeps): Pick<Handlers, Mine> {
  return {
    async listPeople({ organization }, { who }) {
      const deps = await access();
      const { store } = deps;
      await requireOrganization(deps, organization);
      const [members, roles] = await Promise.all([store.members(organization), store.roles(organization)]);
      const views = members.map((member) => memberView(store, who, { organization, roles }, member));
      return { people: await Promise.all(views) };
    },

    async invitePerson({ organization, ...person }, { who }) {
      const { user, link } = await invite(await access(), who, organization, person);
      return { user: userView(user), link };
    },

    async removePerson({ organization, user }, { who }) {
      await removePerson(await access(), who, organization, user);
      return {};
    },

    async addGrant({ organization, user, ...grant }, { who }) {
      const stored = await grantRole(await access(), who, { organization, user }, grant);
      return { grant: grantView(stored, true) };
    },

    async removeGrant(which, { who }) {
      await takeGrant(await access(), who, which);
      return {};
    },

    makeSignInLink: async ({ purpose, ...whom }, { who }) => ({
      link: await linkFor(await access(), who, whom, purpose),
    }),

    async removeSecondFactorOf(whom, { who }) {
      await dropSecondFactor(await access(), who, whom);
      return {};
    },
  };
}

async function memberView(
  store: AccessDeps['store'],
  who: Identity,
  { organization, roles }: { organization: string; roles: readonly Role[] },
  { user, since, grants }: Member,
): Promise<MemberView> {
  const standing = await store.standing(user.id);
  const held = grants.map((grant) => heldGrant(grant, roles));
  return {
    user: userView(user),
    since,
    grants: held.map((grant) => grantView(grant, mayGrant(who, organization, grant).allowed)),
    mayRemove: mayRemove(who, organization, held).allowed,
    mayHelp: standing !== null && mayHelp(who, personOf(standing)).allowed,
  };
}

/** Named one by one: what the store may come to know of a user is nobody's business by itself. */
export const userView = (user: User): UserView => ({
  id: user.id,
  login: user.login,
  name: user.name,
  hasPassword: user.hasPassword,
  hasSecondFactor: user.hasSecondFactor,
  runsServer: user.runsServer,
  disabledAt: user.disabledAt,
  createdAt: user.createdAt,
  signedInAt: user.signedInAt,
});

const grantView = (grant: StoredGrant, mayBeRemoved: boolean): GrantView => ({
  id: grant.id,
  role: grant.role,
  project: grant.project,
  environment: grant.environment,
  grantedBy: grant.grantedBy,
  grantedAt: grant.grantedAt,
  mayRemove: mayBeRemoved,
});
