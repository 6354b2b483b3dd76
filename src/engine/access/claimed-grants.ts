import type { OidcProvider, RoleRule } from '../../domain/access/elsewhere.ts';
import type { Organization } from '../../domain/access/organization.ts';
import { described, EvenkeelError } from '../../ports/errors.ts';
import type { StoredGrant } from '../../ports/people-store.ts';
import type { EngineDeps } from '../deps.ts';
import type { AccessDeps } from './deps.ts';

type Deps = Pick<AccessDeps, 'store' | 'clock' | 'newId'> & Pick<EngineDeps, 'log'>;

/** As who has granted what a provider's claims give. */
const grantor = ({ id }: Pick<OidcProvider, 'id'>): string => `oidc:${id}`;

/**
 * Gives a user what the claims give, and takes away what the same provider gave before and no longer gives. What people have
 * granted stays as it is. A rule whose role or organization is not there gives nothing, and the log says so.
 */
export async function grantClaimed(
  deps: Deps,
  user: string,
  provider: OidcProvider,
  rules: readonly RoleRule[],
): Promise<void> {
  const { store, clock, log } = deps;
  const by = grantor(provider);
  const organizations = await store.organizations();
  const wanted = rules.flatMap((rule): (RoleRule & { id: string })[] => {
    const found = organizationNamed(organizations, rule.organization);
    if (found === null)
      log.warn({ organization: rule.organization }, `sign-in.yaml: ${by}: there is no such organization`);
    return found === null ? [] : [{ ...rule, id: found.id }];
  });
  for (const { id } of organizations) {
    const here = wanted.filter((rule) => rule.id === id);
    const held = (await store.members(id)).find((member) => member.user.id === user)?.grants ?? [];
    for (const { role, project, environment } of here) {
      if (held.some((grant) => isOf(grant, { role, project, environment }))) continue;
      const grant = { id: deps.newId('gr'), organization: id, user, role, project, environment };
      try {
        await store.addMember(id, user, clock.now());
        await store.endLinkOfOthers(user, by);
        await store.addGrant({ ...grant, grantedBy: by, grantedAt: clock.now() });
      } catch (error) {
        if (!(error instanceof EvenkeelError) || error.code !== 'role-unknown') throw error;
        log.warn({ role, organization: id }, `sign-in.yaml: ${by}: ${described(error)}`);
      }
    }
    const over = held.filter((grant) => grant.grantedBy === by && !here.some((rule) => isOf(grant, rule)));
    for (const grant of over) await store.removeGrant(id, grant.id);
    if (over.length > 0 && over.length === held.length && here.length === 0) await store.removeMember(id, user);
  }
}

const isOf = (
  grant: StoredGrant,
  { role, project, environment }: Pick<RoleRule, 'role' | 'project' | 'environment'>,
): boolean => grant.role === role && grant.project === project && grant.environment === environment;

/** By its id, or else by its name. */
export const organizationNamed = (organizations: readonly Organization[], named: string): Organization | null =>
  organizations.find(({ id }) => id === named) ?? organizations.find(({ name }) => name === named) ?? null;
