import { requireOrganization } from '../../engine/access/organizations.ts';
import { createToken, type ListedToken, ownTokens, revokeToken, tokensOf } from '../../engine/access/tokens.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import type { TokenView } from '../contract/tokens.ts';

type Mine = 'listTokens' | 'createToken' | 'revokeToken' | 'listOrganizationTokens';

/** The text of a token goes out of here once, and is kept nowhere. */
export function tokenHandlers({ access }: ApiDeps): Pick<Handlers, Mine> {
  return {
    async listTokens({ user = null }, { who }) {
      return { tokens: (await ownTokens(await access(), who, user)).map(tokenView) };
    },

    async createToken({ name, expiresAt, user = null, ...scope }, { who }) {
      const { text, ...listed } = await createToken(await access(), who, { name, expiresAt, login: user, scope });
      return { token: tokenView(listed), text };
    },

    async revokeToken({ token }, { who }) {
      await revokeToken(await access(), who, token);
      return {};
    },

    async listOrganizationTokens({ organization }, { who }) {
      const deps = await access();
      await requireOrganization(deps, organization);
      return { tokens: (await tokensOf(deps, who, organization)).map(tokenView) };
    },
  };
}

const tokenView = ({ token, owner, mayRevoke }: ListedToken): TokenView => ({
  id: token.id,
  name: token.name,
  prefix: token.prefix,
  owner: { id: owner.id, login: owner.login },
  organization: token.scope.organization,
  permissions: token.scope.permissions === null ? null : [...token.scope.permissions],
  project: token.scope.project,
  environment: token.scope.environment,
  createdAt: token.createdAt,
  expiresAt: token.expiresAt,
  usedAt: token.usedAt,
  usedFrom: token.usedFrom,
  mayRevoke,
});
