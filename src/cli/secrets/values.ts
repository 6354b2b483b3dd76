import { readFile } from 'node:fs/promises';
import { parseEnvFile } from '../../config/env-file.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Context } from '../context.ts';
import { Interrupted } from '../interrupt.ts';
import { readAll, readHidden } from '../prompt.ts';

/** Values of secrets as people hand them over: typed, piped, or in a file. No message ever holds one. */

export const NAME = /^[A-Z][A-Z0-9_]{0,99}$/;
const LONGEST = 65_536;

/** One value: of a file, typed without being shown, or of the standard input. `command`: what asks for it. Throws `secret-empty` or `secret-too-long`. */
export async function readValue(
  context: Context,
  name: string,
  file: string | null,
  command = 'evenkeel secrets set',
): Promise<string> {
  const value = await oneValue(context, name, file);
  if (value === '')
    throw new EvenkeelError({
      code: 'secret-empty',
      what: `the value of ${name} is empty`,
      next: `type it when it is asked for, or \`${command} ${name} --from-file PATH\``,
    });
  refuseLong(name, value);
  return value;
}

async function oneValue({ deps, interrupt }: Context, name: string, file: string | null): Promise<string> {
  if (file !== null) return readText(file);
  if (deps.stdin.isTTY === true) {
    const typed = await readHidden(deps, interrupt, `Value of ${name} (not shown): `);
    if (typed === null) throw new Interrupted();
    return typed;
  }
  // `echo` and most programs end their output with a newline that nobody means.
  return (await readAll(deps, interrupt)).replace(/\r?\n$/, '');
}

/**
 * The `NAME=value` lines of a file, or of the standard input (`-`). Throws `secrets-import-bad` with all that is wrong,
 * by line and name, before anything is stored.
 */
export async function readImport({ deps, interrupt }: Context, file: string): Promise<Map<string, string>> {
  const shown = file === '-' ? 'standard input' : file;
  const text = file === '-' ? await readAll(deps, interrupt) : await readText(file);
  const { values, problems } = parseEnvFile(text, shown);
  const wrong = [
    ...problems.map(({ line, message }) => `line ${line}: ${message}`),
    ...[...values.keys()].filter((name) => !NAME.test(name)).map((name) => `${name}: ${NAME_RULE}`),
    ...[...values].filter(([, value]) => value === '').map(([name]) => `${name}: its value is empty`),
    ...[...values].filter(([, value]) => value.length > LONGEST).map(([name]) => `${name}: ${tooLong}`),
    ...[...values].filter(([, value]) => value.includes('\0')).map(([name]) => `${name}: its value holds a NUL`),
  ];
  if (values.size === 0 && wrong.length === 0) wrong.push('there is no NAME=value line in it');
  if (wrong.length === 0) return values;
  throw new EvenkeelError({
    code: 'secrets-import-bad',
    what: `nothing was imported from ${shown}`,
    why: wrong.join('\n'),
    next: 'correct these, and import again: it is all or nothing',
  });
}

const NAME_RULE = "a secret's name is written in capital letters, digits and underscores";
const tooLong = `its value is longer than ${LONGEST / 1024} KiB`;

function refuseLong(name: string, value: string): void {
  if (value.length <= LONGEST) return;
  throw new EvenkeelError({
    code: 'secret-too-long',
    what: `the value of ${name} is longer than ${LONGEST / 1024} KiB`,
  });
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new EvenkeelError({
      code: 'file-unreadable',
      what: `${file} cannot be read`,
      why: cause.code ?? cause.message,
      cause,
    });
  });
}
