import { organizationNamed } from '../access/who.ts';
import type { CommandSpec, Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';

const ORGANIZATION = { usage: '<organization>', description: 'its name, or its id' };

export const organizations: CommandSpec = {
  name: 'organizations',
  summary: 'keep projects and people apart from each other on one server',
  description:
    'There is one from the beginning, which every project belongs to. Who is in one sees nothing of another: neither its projects, people and roles nor its audit.',
  examples: [
    {
      command: 'evenkeel organizations create "Acme Ltd"',
      means: 'then: evenkeel people invite LOGIN --role admin --organization "Acme Ltd"',
    },
    {
      command: 'evenkeel organizations move shop "Acme Ltd"',
      means: 'the project shop, with all that is recorded of it',
    },
  ],
  subcommands: [
    { name: 'list', summary: 'the same as `evenkeel organizations`', run: list },
    {
      name: 'create',
      summary: 'make one, without anybody in it',
      arguments: [{ usage: '<name>', description: 'as people read it' }],
      run: create,
    },
    {
      name: 'rename',
      summary: 'give it another name',
      arguments: [ORGANIZATION, { usage: '<name>', description: 'the new one' }],
      run: rename,
    },
    {
      name: 'remove',
      summary: 'remove one that has no projects, with its memberships, roles, grants and tokens',
      arguments: [ORGANIZATION],
      run: remove,
    },
    {
      name: 'move',
      summary: 'make a project another organization’s',
      arguments: [{ usage: '<which>', description: 'the project' }, ORGANIZATION],
      run: move,
    },
  ],
  run: list,
};

async function list(context: Context): Promise<void> {
  const { out } = context;
  const client = await context.client();
  const { organizations: all } = await client.listOrganizations({});
  const found = await Promise.all(
    all.map(async (each) => {
      const { projects } = await client.listProjectsOfOrganization({ organization: each.id });
      return { ...each, projects: projects.map(({ project }) => project) };
    }),
  );
  out.data({ organizations: found });
  const titles = ['name', 'id', 'since', 'projects'].map((title) => ({ title }));
  const rows = found.map(({ name, id, createdAt, projects }) => [
    name,
    id === name ? '' : id,
    createdAt === 0 ? '' : dateAndTime(createdAt),
    projects.join(', '),
  ]);
  out.line(...table(titles, rows, { style: out.style, columns: out.columns() }));
}

async function create(context: Context, input: Input): Promise<void> {
  const client = await context.client();
  const { organization } = await client.createOrganization({ name: input.text('name') ?? '' });
  context.out.data({ organization });
  done(context, `${organization.name} is there (${organization.id}).`);
  context.out.line(`  evenkeel people invite LOGIN --role admin --organization "${organization.name}"`);
}

async function rename(context: Context, input: Input): Promise<void> {
  const { client, organization } = await named(context, input);
  const asked = { organization: organization.id, name: input.text('name') ?? '' };
  const { organization: now } = await client.renameOrganization(asked);
  context.out.data({ organization: now });
  done(context, `${organization.name} is called ${now.name}.`);
}

async function remove(context: Context, input: Input): Promise<void> {
  const { client, organization } = await named(context, input);
  await confirm(context, `Remove the organization ${organization.name}, with its roles, grants and tokens?`);
  await client.removeOrganization({ organization: organization.id });
  context.out.data({ organization });
  done(context, `${organization.name} is removed.`);
}

async function move(context: Context, input: Input): Promise<void> {
  const { client, organization } = await named(context, input);
  const project = input.text('which') ?? '';
  await confirm(
    context,
    `Move ${project} to ${organization.name}? Whoever sees it now sees it no more, unless they are a member there.`,
  );
  const moved = await client.moveProject({ project, organization: organization.id });
  context.out.data({ project, ...moved });
  done(context, `${project} belongs to ${organization.name}.`);
}

async function named(context: Context, input: Input) {
  const client = await context.client();
  const { organizations: all } = await client.listOrganizations({});
  return { client, organization: organizationNamed(all, input.text('organization') ?? '') };
}

function done({ out }: Context, text: string): void {
  out.line(`${out.style.green(out.style.symbols.done)} ${text}`);
}
