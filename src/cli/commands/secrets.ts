import { formatDuration } from '../../lib/format.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { parseAgo } from '../parse-ago.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';
import { ROLLOUT_OPTIONS, storeAndRollOut } from '../secrets/roll-out.ts';
import { NAME, readImport, readValue } from '../secrets/values.ts';

export const secrets: CommandSpec = {
  name: 'secrets',
  summary: 'set, import, list and remove what services must know and nobody else',
  description:
    'Kept encrypted, for each environment. Services get them where evenkeel.yaml says `${NAME}` in `env` and lists the name under `secrets`. Values are never shown again. A release keeps the value that it was verified with; a rollout brings a new one.',
  examples: [
    { command: 'evenkeel secrets set JWT_SECRET', means: 'asks for the value without showing it' },
    {
      command: 'openssl rand -hex 32 | evenkeel secrets set JWT_SECRET --rollout',
      means: 'a new one, for what runs too',
    },
    { command: 'evenkeel secrets import .env.production --env production', means: 'many at once' },
    { command: 'evenkeel secrets list --env production --warn-after 90d', means: 'names and ages' },
  ],
  subcommands: [
    {
      name: 'set',
      summary: 'set a secret; the value is asked for, or read from the standard input',
      description:
        'Services that run keep the value they were started with until a rollout: it is offered here, or begun by --rollout. The new value is verified as a new release is, and the former release is one `evenkeel rollback` away, with the former value.',
      arguments: [{ usage: '<name>', description: 'capital letters, digits and underscores' }],
      options: [{ flags: '--from-file <path>', description: 'read the value from a file' }, ...ROLLOUT_OPTIONS],
      examples: [
        { command: 'evenkeel secrets set JWT_SECRET', means: 'asks for the value without showing it' },
        { command: 'evenkeel secrets set TLS_KEY --from-file key.pem', means: 'a file, as it is' },
      ],
      run: set,
    },
    {
      name: 'import',
      summary: 'set all secrets of a .env file, or none of them',
      description: 'Lines such as NAME=value, as in .env files. Names are shown, values never.',
      arguments: [{ usage: '<file>', description: 'a file, or - for the standard input' }],
      options: ROLLOUT_OPTIONS,
      examples: [
        { command: 'evenkeel secrets import .env.production --env production', means: 'a file' },
        { command: 'pass show shop/env | evenkeel secrets import -', means: 'from another program' },
      ],
      run: importFile,
    },
    {
      name: 'list',
      summary: 'names, how old they are, who set them, and who uses them',
      options: [{ flags: '--warn-after <age>', description: 'warn of those that were set longer ago, such as 90d' }],
      run: list,
    },
    {
      name: 'remove',
      summary: 'forget a secret that nothing needs any more',
      arguments: [{ usage: '<name>', description: 'which' }],
      run: remove,
    },
  ],
};

async function set(context: Context, input: Input): Promise<ExitCode> {
  const name = nameOf(input);
  // Asked before the value is: nobody shall type it in vain.
  await context.scope();
  const value = await readValue(context, name, input.text('fromFile'));
  return storeAndRollOut(context, input, new Map([[name, value]]));
}

async function importFile(context: Context, input: Input): Promise<ExitCode> {
  await context.scope();
  const file = input.text('file') ?? '-';
  const values = await readImport(context, file);
  const exit = await storeAndRollOut(context, input, values);
  if (file !== '-')
    context.out.remark(
      `${file} still holds the values. Delete it, or see to it that neither git nor a build takes it.`,
    );
  return exit;
}

async function list(context: Context, input: Input): Promise<void> {
  const { out, deps } = context;
  const scope = await context.scope();
  const now = deps.now();
  const limit = input.text('warnAfter');
  const oldest = limit === null ? null : parseAgo(limit, now);
  const { secrets: known } = await (await context.client()).listSecrets(scope);
  const found = known.map((each) => ({
    ...each,
    ageMs: Math.max(0, now - each.updatedAt),
    ...(oldest === null ? {} : { old: each.updatedAt < oldest }),
  }));
  out.data({ secrets: found });
  if (found.length === 0) {
    out.line(`No secrets are set in ${scope.environment}.`);
    return;
  }
  const rows = found.map(({ name, updatedAt, ageMs, setBy, usedBy, behind }) => [
    name,
    formatDuration(ageMs),
    dateAndTime(updatedAt),
    setBy ?? '',
    usedBy.join(', '),
    behind.length === 0 ? '' : `${behind.join(', ')} until a rollout`,
  ]);
  const titles = ['name', 'age', 'set', 'by', 'used by', 'former value in'].map((title) => ({ title }));
  out.line(...table(titles, rows, { style: out.style, columns: out.columns() }));
  const old = found.flatMap(({ name, old: isOld }) => (isOld === true ? [name] : []));
  if (old.length > 0)
    out.remark(
      `Warning: ${old.join(', ')}: set longer than ${limit} ago; give ${old.length === 1 ? 'it' : 'them'} a new value with evenkeel secrets set NAME --rollout`,
    );
}

async function remove(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const name = nameOf(input);
  const scope = await context.scope();
  if (scope.environment !== 'development')
    await confirm(context, `Forget ${name} of ${scope.project} in ${scope.environment}?`);
  const { removed } = await (await context.client()).removeSecret({ ...scope, name });
  if (!removed)
    throw new EvenkeelError({
      code: 'secret-unknown',
      what: `there is no secret ${name} in ${scope.environment}`,
      next: 'evenkeel secrets list',
    });
  out.line(`${out.style.green(out.style.symbols.done)} ${name} is forgotten.`);
  out.data({ name, removed });
}

function nameOf(input: Input): string {
  const name = input.text('name') ?? '';
  if (NAME.test(name)) return name;
  const value = name.includes('=') ? '; the value does not belong on the command line, where others can see it' : '';
  throw new EvenkeelError({
    code: 'bad-name',
    what: `a secret's name is written in capital letters, digits and underscores${value}`,
    next: `evenkeel secrets set ${
      name
        .split('=')[0]
        ?.toUpperCase()
        .replaceAll(/[^A-Z0-9_]/g, '_') || 'NAME'
    }`,
  });
}
