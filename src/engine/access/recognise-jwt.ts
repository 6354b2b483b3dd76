import { type Claims, grantedBy, loginIn } from '../../domain/access/claims.ts';
import type { BearerIssuer, RoleRule } from '../../domain/access/elsewhere.ts';
import type { Bearer, HeldGrant, Membership } from '../../domain/access/identity.ts';
import { findRole } from '../../domain/access/roles.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { TokenVerifier } from '../../ports/openid.ts';
import { organizationNamed } from './claimed-grants.ts';
import type { AccessDeps } from './deps.ts';

export interface JwtDeps extends Pick<AccessDeps, 'store'> {
  readonly tokens: TokenVerifier;
}

/**
 * Who shows this JWT, with what its claims give at this moment; null for what is no JWT of an issuer that the operator named.
 * Throws as `TokenVerifier`; `unauthorized` also for the account of a user who is disabled.
 */
export async function recogniseJwt(deps: JwtDeps, text: string): Promise<Bearer | null> {
  const verified = await deps.tokens.verify(text);
  if (verified === null) return null;
  const { issuer, claims } = verified;
  const subject = String(claims['sub']);
  const id = await deps.store.userOfIdentity(issuer.issuer, subject);
  const user = id === null ? null : await deps.store.user(id);
  if (user !== null && user.disabledAt !== null)
    throw new EvenkeelError({
      code: 'unauthorized',
      what: `the token of ${issuer.id} does not count`,
      why: 'whom it names is disabled here',
    });
  return {
    kind: 'bearer',
    issuer: issuer.issuer,
    subject,
    name: nameOf(claims, issuer, subject),
    user: user === null ? null : { id: user.id, login: user.login },
    memberships: await membershipsBy(deps, grantedBy(claims, issuer.roles)),
  };
}

/** As journal and audit name them. */
const nameOf = (claims: Claims, issuer: BearerIssuer, subject: string): string =>
  loginIn(claims, issuer) ?? `${issuer.id}:${subject.replaceAll(/\p{C}/gu, '').slice(0, 200)}`;

/** A rule whose organization or role is not there gives nothing. */
async function membershipsBy({ store }: JwtDeps, rules: readonly RoleRule[]): Promise<Membership[]> {
  if (rules.length === 0) return [];
  const organizations = await store.organizations();
  const byOrganization = Map.groupBy(rules, (rule) => organizationNamed(organizations, rule.organization)?.id ?? null);
  const memberships: Membership[] = [];
  for (const [organization, own] of byOrganization) {
    if (organization === null) continue;
    const roles = await store.roles(organization);
    const grants = own.flatMap(({ role, project, environment }): HeldGrant[] => {
      const found = findRole(role, roles);
      return found === null ? [] : [{ role, project, environment, permissions: found.permissions }];
    });
    if (grants.length > 0) memberships.push({ organization, grants });
  }
  return memberships;
}
