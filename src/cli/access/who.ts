import type { ApiClient } from '../../api/contract/client.ts';
import type { OrganizationView } from '../../api/contract/organizations.ts';
import type { MemberView, UserView } from '../../api/contract/people.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Input, OptionSpec } from '../command.ts';
import type { Globals } from '../context.ts';

/** People type names; the API knows ids. */

export const ORGANIZATION: OptionSpec = {
  flags: '--organization <name>',
  description: 'which; default: the only one, else "default"',
};

/** Throws `organization-unknown`, `organization-needed`. */
export async function organizationOf(client: ApiClient, input: Input): Promise<OrganizationView> {
  const { organizations } = await client.listOrganizations({});
  const wanted = input.text('organization');
  if (wanted !== null) return organizationNamed(organizations, wanted);
  const [first, ...others] = organizations;
  const usual = others.length === 0 ? first : organizations.find(({ id }) => id === 'default');
  if (usual !== undefined) return usual;
  throw new EvenkeelError({
    code: 'organization-needed',
    what: 'there are several organizations',
    why: organizations.map(({ name }) => name).join(', ') || 'none is yours',
    next: 'say which one with --organization NAME',
  });
}

/** By its name or its id. Throws `organization-unknown`. */
export function organizationNamed(organizations: readonly OrganizationView[], name: string): OrganizationView {
  const found = organizations.find((each) => each.id === name) ?? organizations.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new EvenkeelError({
    code: 'organization-unknown',
    what: `there is no organization ${name}`,
    next: 'evenkeel organizations',
  });
}

/** By sign-in name. Throws `member-unknown`. */
export async function memberNamed(
  client: ApiClient,
  { id, name }: OrganizationView,
  login: string,
): Promise<MemberView> {
  const { people } = await client.listPeople({ organization: id });
  const found = people.find(({ user }) => isNamed(user, login));
  if (found !== undefined) return found;
  throw new EvenkeelError({
    code: 'member-unknown',
    what: `${login} is no member of the organization ${name}`,
    next: `evenkeel people --organization "${name}"`,
  });
}

/** By sign-in name, whatever organization they are in. Throws `user-unknown`. */
export async function userNamed(client: ApiClient, login: string): Promise<UserView> {
  const { users } = await client.listUsers({});
  const found = users.find((user) => isNamed(user, login));
  if (found !== undefined) return found;
  throw new EvenkeelError({
    code: 'user-unknown',
    what: `nobody signs in as ${login}`,
    next: 'evenkeel people --all',
  });
}

const isNamed = (user: UserView, login: string): boolean => user.login === login.normalize('NFKC').trim().toLowerCase();

/** Where something holds: what `--project` and `--env` say, and everywhere without them, whatever the folder is. */
export const whereOf = ({ project, environment }: Globals): { project: string; environment: string } => ({
  project: project ?? '*',
  environment: environment ?? '*',
});

/** `everywhere`, `shop`, `shop/staging-*`, `staging of every project`. */
export function placeOf({ project, environment }: { project: string; environment: string }): string {
  if (project === '*') return environment === '*' ? 'everywhere' : `${environment} of every project`;
  return environment === '*' ? project : `${project}/${environment}`;
}
