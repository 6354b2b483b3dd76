import { readFile } from 'node:fs/promises';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { Interrupted } from '../interrupt.ts';
import { readAll, readHidden } from '../prompt.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';

const NAME = /^[A-Z][A-Z0-9_]{0,99}$/;
const LONGEST = 65_536;

export const secrets: CommandSpec = {
  name: 'secrets',
  summary: 'set, list and remove what services must know and nobody else',
  description:
    'Kept encrypted, for each environment. Services get them where evenkeel.yaml says `${NAME}` in `env` and lists the name under `secrets`. Values are never shown again.',
  examples: [
    { command: 'evenkeel secrets set JWT_SECRET', means: 'asks for the value without showing it' },
    { command: 'openssl rand -hex 32 | evenkeel secrets set JWT_SECRET', means: 'from another program' },
    { command: 'evenkeel secrets list --env production', means: 'the names' },
  ],
  subcommands: [
    {
      name: 'set',
      summary: 'set a secret; the value is asked for, or read from the standard input',
      arguments: [{ usage: '<name>', description: 'capital letters, digits and underscores' }],
      options: [{ flags: '--from-file <path>', description: 'read the value from a file' }],
      examples: [
        { command: 'evenkeel secrets set JWT_SECRET', means: 'asks for the value without showing it' },
        { command: 'evenkeel secrets set TLS_KEY --from-file key.pem', means: 'a file, as it is' },
      ],
      run: set,
    },
    { name: 'list', summary: 'names, and when they were set', run: list },
    {
      name: 'remove',
      summary: 'forget a secret',
      arguments: [{ usage: '<name>', description: 'which' }],
      run: remove,
    },
  ],
};

async function set(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const name = nameOf(input);
  const scope = await context.scope();
  const value = await readValue(context, name, input.text('fromFile'));
  if (value === '')
    throw new EvenkeelError({
      code: 'secret-empty',
      what: `the value of ${name} is empty`,
      next: `type it when it is asked for, or \`evenkeel secrets set ${name} --from-file PATH\``,
    });
  if (value.length > LONGEST)
    throw new EvenkeelError({
      code: 'secret-too-long',
      what: `the value of ${name} is longer than ${LONGEST / 1024} KiB`,
    });
  const client = await context.startedClient();
  await client.setSecret({ ...scope, name, value });
  const { style } = out;
  out.line(
    `${style.green(style.symbols.done)} ${name} is set in ${scope.environment}.`,
    '  Instances that run keep the old value: evenkeel restart SERVICE',
  );
  out.data({ name, set: true });
}

async function readValue({ deps, interrupt }: Context, name: string, file: string | null): Promise<string> {
  if (file !== null) {
    return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new EvenkeelError({
        code: 'file-unreadable',
        what: `${file} cannot be read`,
        why: cause.code ?? cause.message,
        cause,
      });
    });
  }
  if (deps.stdin.isTTY === true) {
    const typed = await readHidden(deps, interrupt, `Value of ${name} (not shown): `);
    if (typed === null) throw new Interrupted();
    return typed;
  }
  // `echo` and most programs end their output with a newline that nobody means.
  return (await readAll(deps, interrupt)).replace(/\r?\n$/, '');
}

async function list(context: Context): Promise<void> {
  const { out } = context;
  const scope = await context.scope();
  const found = await (await context.client()).secrets(scope);
  out.data({ secrets: found });
  if (found.length === 0) out.line(`No secrets are set in ${scope.environment}.`);
  else {
    const rows = found.map(({ name, updatedAt }) => [name, dateAndTime(updatedAt)]);
    out.line(...table([{ title: 'name' }, { title: 'set' }], rows, { style: out.style, columns: out.columns() }));
  }
}

async function remove(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const name = nameOf(input);
  const scope = await context.scope();
  if (scope.environment !== 'development')
    await confirm(context, `Forget ${name} of ${scope.project} in ${scope.environment}?`);
  const removed = await (await context.client()).removeSecret({ ...scope, name });
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
