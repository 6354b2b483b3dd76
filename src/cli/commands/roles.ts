import { permissionSchema, type RoleView } from '../../api/contract/roles.ts';
import { suggest } from '../../lib/suggest.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { ORGANIZATION, organizationOf } from '../access/who.ts';
import type { CommandSpec, Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { wrap } from '../screen/text.ts';

const NAME = { usage: '<name>', description: 'small letters, digits and dashes' };

export const roles: CommandSpec = {
  name: 'roles',
  summary: 'what viewer, operator, approver and admin may, and roles of your own',
  description: 'A role is a set of permissions; where it holds is said where it is granted (evenkeel people grant).',
  options: [ORGANIZATION],
  examples: [
    { command: 'evenkeel roles set releaser environment:read environment:deploy rollout:steer', means: 'make one' },
    { command: 'evenkeel roles --json', means: 'with all permissions that there are' },
  ],
  subcommands: [
    { name: 'list', summary: 'the same as `evenkeel roles`', options: [ORGANIZATION], run: list },
    {
      name: 'set',
      summary: 'make a role, or change it for everybody who has it',
      arguments: [
        NAME,
        { usage: '<permissions...>', description: 'all that it is to have; evenkeel roles lists them' },
      ],
      options: [ORGANIZATION],
      run: set,
    },
    {
      name: 'remove',
      summary: 'remove a role that nobody has',
      arguments: [NAME],
      options: [ORGANIZATION],
      run: remove,
    },
  ],
  run: list,
};

async function list(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const client = await context.client();
  const organization = await organizationOf(client, input);
  const { roles: known, permissions } = await client.listRoles({ organization: organization.id });
  out.data({ organization, roles: known, permissions });
  for (const role of known) {
    out.line(`${out.style.bold(role.name)}${role.builtIn ? '' : out.style.dim('  of your own')}`);
    const lines = wrap(permissionsShown(role), Math.min(out.columns(), 110) - 2);
    out.line(...lines.map((line) => `  ${line}`));
  }
  const others = permissions.filter(({ level }) => level === 'server').map(({ permission }) => permission);
  out.line('', out.style.dim(`Of whoever runs the server, and in no role: ${others.join(', ')}`));
}

const permissionsShown = ({ permissions }: RoleView): string => permissions.join(', ');

async function set(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const permissions = input.list('permissions').flatMap((each) => each.split(',').filter((part) => part !== ''));
  const known = permissions.map(permissionOf);
  const client = await context.client();
  const organization = await organizationOf(client, input);
  const asked = { organization: organization.id, role: input.text('name') ?? '', permissions: known };
  const { role } = await client.saveRole(asked);
  out.data({ role });
  out.line(`${out.style.green(out.style.symbols.done)} ${role.name} may: ${permissionsShown(role)}`);
}

/** Throws `usage`. */
export function permissionOf(text: string): RoleView['permissions'][number] {
  const read = permissionSchema.safeParse(text);
  if (read.success) return read.data;
  const meant = suggest(text, permissionSchema.options);
  throw new EvenkeelError({
    code: 'usage',
    what: `there is no permission ${text}`,
    next: meant === null ? 'evenkeel roles shows all' : `did you mean ${meant}? evenkeel roles shows all`,
  });
}

async function remove(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const client = await context.client();
  const organization = await organizationOf(client, input);
  const role = input.text('name') ?? '';
  await confirm(context, `Remove the role ${role} of ${organization.name}?`);
  await client.removeRole({ organization: organization.id, role });
  out.data({ role });
  out.line(`${out.style.green(out.style.symbols.done)} There is no role ${role} any more.`);
}
