import { EvenkeelError } from '../ports/errors.ts';
import type { CliDeps, ExitCode } from './deps.ts';
import { createStyle, showsUnicode } from './screen/style.ts';
import { stopped, wrap, wrapLines } from './screen/text.ts';

const NEWER = 'if evenkeel was updated while its server ran: evenkeel server restart';

/** What this command asked, and the server does not know. */
const UNKNOWN = new Set(['bad-request', 'not-found']);

/** Anything that was thrown, as an error that people can read. */
export function asEvenkeelError(error: unknown): EvenkeelError {
  // What this command asks is always of the shape that it knows, and so is what it reads.
  if (error instanceof EvenkeelError && UNKNOWN.has(error.code) && error.next === null)
    return new EvenkeelError({
      code: error.code,
      what: error.message,
      ...(error.where === null ? {} : { where: error.where }),
      ...(error.why === null ? {} : { why: error.why }),
      next: NEWER,
      cause: error,
    });
  if (error instanceof EvenkeelError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new EvenkeelError({
    code: 'unexpected',
    what: 'something unexpected happened',
    why,
    next:
      error instanceof TypeError
        ? `${NEWER}; else EVENKEEL_DEBUG=1 shows where`
        : 'set EVENKEEL_DEBUG=1 and try again: it shows where',
    exit: 2,
    cause: error,
  });
}

/** Says what happened, where, why and what to do next. Returns the exit code. */
export function showError(
  thrown: unknown,
  { stdout, stderr, env }: Pick<CliDeps, 'stdout' | 'stderr' | 'env'>,
  options: { json: boolean; color: boolean },
): ExitCode {
  const error = asEvenkeelError(thrown);
  if (options.json) stdout.write(`${JSON.stringify({ error: errorDocument(error) })}\n`);
  else
    stderr.write(
      `${errorText(error, {
        color: options.color && stderr.isTTY === true,
        unicode: showsUnicode(env),
        columns: stderr.isTTY === true ? (stderr.columns ?? 80) : Infinity,
      })}\n`,
    );
  if ((env['EVENKEEL_DEBUG'] ?? '') !== '') stderr.write(`${stacks(error)}\n`);
  return error.exit;
}

/** What `--json` says of an error. */
export function errorDocument({ code, message, where, why, next, retryable, exit }: EvenkeelError) {
  return { code, what: message, where, why, next, retryable, exit };
}

export function errorText(error: EvenkeelError, look: { color: boolean; unicode: boolean; columns: number }): string {
  const style = createStyle(look);
  const mark = look.color ? style.red(style.symbols.failed) : 'error:';
  const parts: [string, string | null][] = [
    // A request of the API is where for programs; a person has typed a command.
    ['where', /^[A-Z]+ \/v\d/.test(error.where ?? '') ? null : error.where],
    ['why', error.why],
    ['next', error.next],
  ];
  const told = parts.flatMap(([label, text]) => {
    if (text === null || text === '') return [];
    const [first = '', ...rest] = lines(text, look.columns - LABEL);
    const shown = label === 'next' ? style.bold(first) : first;
    return [`  ${style.dim(label.padEnd(5))}  ${shown}`, ...rest.map((line) => `         ${line}`)];
  });
  return [`${mark} ${stopped(error.message)} ${style.dim(`(${error.code})`)}`, ...told].join('\n');
}

/** Cells before the text of a line: its label and what sets it off. */
const LABEL = 9;

const lines = (text: string, width: number): string[] =>
  text.includes('\n') ? wrapLines(text, width) : wrap(text, width);

function stacks(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stacks(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
