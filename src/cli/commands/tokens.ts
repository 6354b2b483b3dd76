import type { ApiClient } from '../../api/contract/client.ts';
import type { TokenView } from '../../api/contract/tokens.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { ORGANIZATION, organizationOf, placeOf, whereOf } from '../access/who.ts';
import type { CommandSpec, Input, OptionSpec } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { parseAhead } from '../parse-ahead.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';
import { permissionOf } from './roles.ts';

const USER: OptionSpec = { flags: '--user <login>', description: 'whose' };
const LASTS = '90d';

export const tokens: CommandSpec = {
  name: 'tokens',
  summary: 'by which programs ask the API: make, list and revoke them',
  description:
    'A token belongs to a user and may never more than they may at that moment; what is said when it is made narrows it further.',
  options: [USER, { ...ORGANIZATION, description: 'those that can do something there' }],
  examples: [
    {
      command:
        'evenkeel tokens create ci --user ann --env staging --permissions environment:deploy,environment:read > token',
      means: 'for a build',
    },
    { command: 'evenkeel tokens', means: 'who has which, and when it was last used' },
    { command: 'evenkeel tokens revoke ek_1a2b3c4d', means: 'it is worth nothing from then on' },
  ],
  subcommands: [
    {
      name: 'list',
      summary: 'the same as `evenkeel tokens`',
      options: [USER, { ...ORGANIZATION, description: 'those that can do something there' }],
      run: list,
    },
    {
      name: 'create',
      summary: 'make a token; its text is printed this once, alone on the standard output',
      arguments: [{ usage: '<name>', description: 'what it is for; one of each name for a user' }],
      options: [
        { flags: '--user <login>', description: 'whose it is; it may what they may' },
        { flags: '--organization <name>', description: 'only there; default: wherever its user is a member' },
        {
          flags: '--permissions <list>',
          description: 'only these, with commas between them; default: all of its user’s',
        },
        { flags: '--expires <time>', description: `such as 30d, 2027-01-31 or never; default: ${LASTS}` },
      ],
      run: create,
    },
    {
      name: 'revoke',
      summary: 'end a token at once, and what was made with it',
      arguments: [{ usage: '<token>', description: 'its id, or its beginning as the list shows it' }],
      options: [USER],
      run: revoke,
    },
  ],
  run: list,
};

async function list(context: Context, input: Input): Promise<void> {
  const { out, deps } = context;
  const client = await context.client();
  const found = await listed(client, input);
  out.data({ tokens: found });
  if (found.length === 0) {
    out.line('There are no tokens: evenkeel tokens create NAME --user LOGIN makes one.');
    return;
  }
  const titles = [
    { title: 'token' },
    { title: 'name' },
    { title: 'of' },
    { title: 'for', leaveOut: 1 },
    { title: 'expires' },
    { title: 'last used' },
    { title: 'from', leaveOut: 2 },
  ];
  const now = deps.now();
  const rows = found.map((token) => [
    token.prefix,
    token.name,
    token.owner.login,
    scopeOf(token),
    expiryOf(token, now),
    token.usedAt === null ? 'never' : dateAndTime(token.usedAt),
    token.usedFrom ?? '',
  ]);
  out.line(...table(titles, rows, { style: out.style, columns: out.columns() }));
}

async function listed(client: ApiClient, input: Input): Promise<TokenView[]> {
  const user = input.text('user');
  if (input.text('organization') !== null) {
    const { id } = await organizationOf(client, input);
    const { tokens: there } = await client.listOrganizationTokens({ organization: id });
    return there.filter(({ owner }) => user === null || owner.login === user);
  }
  return (await client.listTokens(user === null ? {} : { user })).tokens;
}

function scopeOf({ permissions, ...place }: TokenView): string {
  const what = permissions === null ? 'everything' : permissions.join(', ');
  return `${what} ${placeOf(place)}`;
}

function expiryOf({ expiresAt }: TokenView, now: number): string {
  if (expiresAt === null) return 'never';
  return expiresAt <= now ? 'expired' : dateAndTime(expiresAt);
}

async function create(context: Context, input: Input): Promise<void> {
  const { out, deps, globals } = context;
  const permissions =
    input
      .text('permissions')
      ?.split(',')
      .filter((part) => part !== '') ?? null;
  const known = permissions?.map(permissionOf) ?? null;
  const expiresAt = parseAhead(input.text('expires') ?? LASTS, deps.now());
  const user = input.text('user');
  const client = await context.client();
  const { token, text } = await client.createToken({
    name: input.text('name') ?? '',
    ...(user === null ? {} : { user }),
    organization: input.text('organization') === null ? null : (await organizationOf(client, input)).id,
    permissions: known,
    ...whereOf(globals),
    expiresAt,
  });
  out.data({ token, text });
  out.line(text);
  const until = expiresAt === null ? 'until it is revoked' : `until ${dateAndTime(expiresAt)}`;
  out.remark(`${token.name} of ${token.owner.login}: ${scopeOf(token)}, ${until}. It is not shown again.`);
}

async function revoke(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const client = await context.client();
  const wanted = input.text('token') ?? '';
  const all = await listed(client, input);
  const found = all.find(({ id, prefix }) => id === wanted || prefix === wanted) ?? onlyNamed(all, wanted);
  if (found === null)
    throw new EvenkeelError({
      code: 'token-unknown',
      what: 'there is no such token',
      // Somebody may have typed the token itself, which stands nowhere then.
      next: 'evenkeel tokens shows their beginnings, such as ek_1a2b3c4d',
    });
  await confirm(context, `Revoke ${found.name} (${found.prefix}) of ${found.owner.login}?`);
  await client.revokeToken({ token: found.id });
  out.data({ token: found });
  out.line(`${out.style.green(out.style.symbols.done)} ${found.name} of ${found.owner.login} lets nobody in any more.`);
}

function onlyNamed(tokensThere: readonly TokenView[], name: string): TokenView | null {
  const [found, ...others] = tokensThere.filter((each) => each.name === name);
  return others.length === 0 ? (found ?? null) : null;
}
