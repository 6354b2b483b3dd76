import { changedError, EvenkeelError } from '../../ports/errors.ts';
import type { Input } from '../command.ts';
import type { Context } from '../context.ts';

/** What was typed beside the command, and holds for whatever is typed next. */
export interface Typed {
  /** Without it, the next command asks the real provider. */
  emulate: boolean;
  /** Of `--env`; null: it was not given, and need not be the next time. */
  environment: string | null;
}

/** A text with every command in it as this person has to type it. */
export type Hint = (text: string) => string;

/** One that stands on a line of its own, between backticks, or before a semicolon; those of the emulator itself are as they are. */
const COMMAND = /\bevenkeel (?:(cloud )(?:--emulate )?(?!emulator\b|-)|(?=deploy\b))([a-z][^`\n;]*)/g;

/**
 * Who says what to type next (rules, drivers, the composition root) knows neither what was typed nor for whom: commands are
 * named plainly there, and completed here, where they are about to be shown.
 */
export function hintsFor({ emulate, environment }: Typed): Hint {
  const complete = (_: string, cloud: string | undefined, words: string): string => {
    const end = words.trimEnd();
    const where = emulate ? 'cloud --emulate ' : (cloud ?? '');
    const env = environment === null || / (?:--env|-e)\b/.test(end) ? '' : ` --env ${environment}`;
    return `evenkeel ${where}${end}${env}${words.slice(end.length)}`;
  };
  return (text) => text.replaceAll(COMMAND, complete);
}

export const hintsOf = ({ globals }: Pick<Context, 'globals'>, input: Input): Hint =>
  hintsFor({ emulate: input.flag('emulate'), environment: globals.environment });

/** The same for all texts of a document. */
export function hinted<T>(value: T, hint: Hint): T {
  if (typeof value === 'string') return hint(value) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => hinted(each, hint)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, hinted(each, hint)])) as T;
}

/** Throws what is thrown meanwhile with its hints as they are to be typed. */
export async function withHints<T>(run: () => Promise<T>, hint: Hint): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof EvenkeelError ? hintedError(error, hint) : error;
  }
}

function hintedError(error: EvenkeelError, hint: Hint): EvenkeelError {
  const what = hint(error.message);
  const [why, next] = [hinted(error.why, hint), hinted(error.next, hint)];
  if (what === error.message && why === error.why && next === error.next) return error;
  return changedError(error, { what, why, next });
}
