import { EvenkeelError } from '../ports/errors.ts';

/** Deeper than anything that is asked here. */
const DEEPEST = 64;

/**
 * Refuses texts that no store, log or process takes as they are: with NUL in them, or with half a character. Also what lies
 * too deep to be looked at by anybody. Throws EvenkeelError `bad-request` with the name of the field.
 */
export function requireReadable(input: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(input)) {
    if (!isText(name)) throw unreadable('request', 'the name of a field holds NUL, or half a character');
    look(value, name, DEEPEST);
  }
}

function look(value: unknown, path: string, deeper: number): void {
  if (typeof value === 'string') {
    if (!isText(value)) throw unreadable(path, 'holds NUL, or half a character');
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (deeper === 0) throw unreadable(path.split('.')[0] ?? '', `is more than ${DEEPEST} levels deep`);
  for (const [name, part] of Object.entries(value)) {
    if (!isText(name)) throw unreadable(path, 'a name in it holds NUL, or half a character');
    look(part, `${path}.${name}`, deeper - 1);
  }
}

const isText = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const unreadable = (path: string, why: string): EvenkeelError =>
  new EvenkeelError({ code: 'bad-request', what: 'the request cannot be read', why: `${path.slice(0, 200)}: ${why}` });
