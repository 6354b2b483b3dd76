import { EvenkeelError } from '../ports/errors.ts';
import type { Input } from './command.ts';

/** The number given for an option such as `--limit`; null when none was. Throws `usage` for anything but 1 to 999999. */
export function countOf(input: Input, option: string, command: string): number | null {
  const given = input.text(option);
  if (given === null) return null;
  if (/^[1-9]\d{0,5}$/.test(given)) return Number(given);
  throw new EvenkeelError({
    code: 'usage',
    what: `--${option} wants a number from 1, not ${given}`,
    next: `evenkeel ${command} --help`,
  });
}
