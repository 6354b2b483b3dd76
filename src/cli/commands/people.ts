import type { GrantView, MemberView, UserView } from '../../api/contract/people.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { addressOf, showLink } from '../access/show-link.ts';
import { memberNamed, ORGANIZATION, organizationOf, placeOf, userNamed, whereOf } from '../access/who.ts';
import type { ArgumentSpec, CommandSpec, Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';

const LOGIN: ArgumentSpec = { usage: '<login>', description: 'by which they sign in' };
const ROLE: ArgumentSpec = { usage: '<role>', description: 'viewer, operator, approver, admin, or one of your own' };

export const people: CommandSpec = {
  name: 'people',
  summary: 'who may sign in, and what they may do where',
  description:
    'A grant is a role for a project and an environment; without --project and --env it holds everywhere in the organization. Both may be patterns: `--env "staging-*"`.',
  options: [
    ORGANIZATION,
    { flags: '--all', description: 'everybody on this server, whatever organization they are in' },
  ],
  examples: [
    { command: 'evenkeel people invite ann@example.com --role admin', means: 'prints a link for her' },
    { command: 'evenkeel people grant ben operator --env staging', means: 'may deploy to staging, and nowhere else' },
    { command: 'evenkeel people revoke ben operator --env staging', means: 'the same, taken away' },
    { command: 'evenkeel people disable ben', means: 'out at once, everywhere' },
  ],
  subcommands: [
    {
      name: 'list',
      summary: 'the same as `evenkeel people`',
      options: [ORGANIZATION, { flags: '--all', description: 'everybody on this server' }],
      run: list,
    },
    {
      name: 'invite',
      summary: 'make somebody a member; somebody new gets a link, which is printed once',
      arguments: [LOGIN],
      options: [
        { flags: '--name <name>', description: 'as others read it; default: the login' },
        { flags: '--role <role>', description: 'with this role, where --project and --env say, or everywhere' },
        ORGANIZATION,
      ],
      examples: [{ command: 'evenkeel people invite ann@example.com --name Ann --role admin', means: 'an admin' }],
      run: invite,
    },
    {
      name: 'remove',
      summary: 'take somebody out of the organization, with their grants and tokens of it',
      arguments: [LOGIN],
      options: [
        ORGANIZATION,
        { flags: '--everywhere', description: 'remove the user for good, with all that is theirs' },
      ],
      run: remove,
    },
    {
      name: 'grant',
      summary: 'grant a role, where --project and --env say, or everywhere',
      arguments: [LOGIN, ROLE],
      options: [ORGANIZATION],
      run: grant,
    },
    {
      name: 'revoke',
      summary: 'take a grant away',
      arguments: [LOGIN, ROLE],
      options: [ORGANIZATION],
      run: revoke,
    },
    {
      name: 'link',
      summary: 'a link that signs a member in once, to choose a new password',
      arguments: [LOGIN],
      options: [
        { flags: '--invitation', description: 'for three days instead of an hour, for who has never signed in' },
        { flags: '--drop-second-factor', description: 'and take their authenticator away, which they have lost' },
        ORGANIZATION,
      ],
      run: link,
    },
    {
      name: 'disable',
      summary: 'shut somebody out at once, with all their sessions and tokens',
      arguments: [LOGIN],
      run: (context, input) => setDisabled(context, input, true),
    },
    {
      name: 'enable',
      summary: 'let somebody in again',
      arguments: [LOGIN],
      run: (context, input) => setDisabled(context, input, false),
    },
    {
      name: 'runs-server',
      summary: 'say that somebody runs the server: its processes, organizations and users, and no project',
      arguments: [LOGIN],
      options: [{ flags: '--not', description: 'any more' }],
      run: setRunsServer,
    },
  ],
  run: list,
};

async function list(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const client = await context.client();
  if (input.flag('all')) {
    const { users } = await client.listUsers({});
    const { organizations } = await client.listOrganizations({});
    const nameOf = (id: string): string => organizations.find((each) => each.id === id)?.name ?? id;
    out.data({ users });
    const rows = users.map((user) => [...cellsOf(user), user.organizations.map(nameOf).join(', ')]);
    out.line(...shown(context, [...TITLES, 'organizations'], rows, 'Nobody has been invited yet.'));
    return;
  }
  const organization = await organizationOf(client, input);
  const { people: members } = await client.listPeople({ organization: organization.id });
  out.data({ organization, people: members });
  const rows = members.map(({ user, grants }) => [...cellsOf(user), grantsShown(grants)]);
  const nobody = `Nobody is a member of ${organization.name} yet: evenkeel people invite LOGIN --role admin`;
  out.line(...shown(context, [...TITLES, 'may'], rows, nobody));
}

const TITLES = ['login', 'name', 'second factor', 'signed in'];

function cellsOf({ login, name, hasSecondFactor, signedInAt, disabledAt, runsServer }: UserView): string[] {
  const last = signedInAt === null ? 'never' : dateAndTime(signedInAt);
  const remarks = [runsServer ? 'runs the server' : [], disabledAt === null ? [] : 'shut out'].flat().join(', ');
  return [
    remarks === '' ? login : `${login} (${remarks})`,
    name === login ? '' : name,
    hasSecondFactor ? 'yes' : 'no',
    last,
  ];
}

const grantsShown = (grants: readonly GrantView[]): string =>
  grants.map((each) => `${each.role} ${placeOf(each)}`).join(', ') || 'nothing';

function shown(
  { out }: Context,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  nobody: string,
): string[] {
  if (rows.length === 0) return [nobody];
  const columns = titles.map((title) => ({ title }));
  return table(columns, rows, { style: out.style, columns: out.columns() });
}

async function invite(context: Context, input: Input): Promise<void> {
  const { out, globals } = context;
  const client = await context.client();
  const { id, name: named } = await organizationOf(client, input);
  const [role, name] = [input.text('role'), input.text('name')];
  const { user, link: given } = await client.invitePerson({
    organization: id,
    login: input.text('login') ?? '',
    ...(name === null ? {} : { name }),
    grants: role === null ? [] : [{ role, ...whereOf(globals) }],
  });
  const url = given === null ? null : await addressOf(client, given);
  out.data({ user, link: given, url });
  out.remark(`${user.login} is a member of ${named}${role === null ? ', and may do nothing yet' : ` as ${role}`}.`);
  if (given === null) out.remark('No link: they have signed in before, or may more elsewhere than you.');
  else showLink(context, user.login, given, url);
}

async function remove(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const client = await context.client();
  const login = input.text('login') ?? '';
  if (input.flag('everywhere')) {
    const user = await userNamed(client, login);
    await confirm(context, `Remove the user ${user.login} for good, with their grants and tokens everywhere?`);
    await client.removeUser({ user: user.id });
    out.data({ user });
    return done(context, `${user.login} is removed; what they did stays under their name.`);
  }
  const organization = await organizationOf(client, input);
  const { user } = await memberNamed(client, organization, login);
  await confirm(context, `Take ${user.login} out of ${organization.name}, with their grants and tokens there?`);
  await client.removePerson({ organization: organization.id, user: user.id });
  out.data({ user, organization });
  done(context, `${user.login} is no member of ${organization.name} any more.`);
}

async function grant(context: Context, input: Input): Promise<void> {
  const { client, organization, member, role, where } = await grantInput(context, input);
  const { grant: added } = await client.addGrant({
    organization: organization.id,
    user: member.user.id,
    role,
    ...where,
  });
  context.out.data({ user: member.user, grant: added });
  done(context, `${member.user.login} is ${role} ${placeOf(where)}.`);
}

async function revoke(context: Context, input: Input): Promise<void> {
  const { client, organization, member, role, where } = await grantInput(context, input);
  const found = member.grants.find(
    (each) => each.role === role && each.project === where.project && each.environment === where.environment,
  );
  if (found === undefined)
    throw new EvenkeelError({
      code: 'grant-unknown',
      what: `${member.user.login} was not granted ${role} ${placeOf(where)}`,
      why: `they have: ${grantsShown(member.grants)}`,
      next: 'say where it holds with --project and --env, as it was granted',
    });
  await client.removeGrant({ organization: organization.id, user: member.user.id, grant: found.id });
  context.out.data({ user: member.user, grant: found });
  done(context, `${member.user.login} is not ${role} ${placeOf(where)} any more.`);
}

async function grantInput(context: Context, input: Input) {
  const client = await context.client();
  const organization = await organizationOf(client, input);
  const member: MemberView = await memberNamed(client, organization, input.text('login') ?? '');
  return { client, organization, member, role: input.text('role') ?? '', where: whereOf(context.globals) };
}

async function link(context: Context, input: Input): Promise<void> {
  const client = await context.client();
  const organization = await organizationOf(client, input);
  const { user } = await memberNamed(client, organization, input.text('login') ?? '');
  const whom = { organization: organization.id, user: user.id };
  if (input.flag('dropSecondFactor')) {
    await confirm(context, `Take the second factor of ${user.login} away?`);
    await client.removeSecondFactorOf(whom);
  }
  const purpose = input.flag('invitation') ? 'invitation' : 'reset';
  const { link: made } = await client.makeSignInLink({ ...whom, purpose });
  const url = await addressOf(client, made);
  context.out.data({ user, link: made, url });
  showLink(context, user.login, made, url);
}

async function setDisabled(context: Context, input: Input, disabled: boolean): Promise<void> {
  const client = await context.client();
  const { id } = await userNamed(client, input.text('login') ?? '');
  const { user } = await client.setDisabled({ user: id, disabled });
  context.out.data({ user });
  done(context, disabled ? `${user.login} is shut out.` : `${user.login} can sign in again.`);
}

async function setRunsServer(context: Context, input: Input): Promise<void> {
  const client = await context.client();
  const { id } = await userNamed(client, input.text('login') ?? '');
  const { user } = await client.setRunsServer({ user: id, runsServer: !input.flag('not') });
  context.out.data({ user });
  done(context, user.runsServer ? `${user.login} runs the server.` : `${user.login} does not run the server any more.`);
}

function done({ out }: Context, text: string): void {
  out.line(`${out.style.green(out.style.symbols.done)} ${text}`);
}
