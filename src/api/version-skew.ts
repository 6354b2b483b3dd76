import { EvenkeelError } from '../ports/errors.ts';

/**
 * Says of a request that could not be understood that it came from another version, if it did, and how to bring the two
 * together. `asking` is what the client calls itself: absent from one that is too old to say so.
 */
export function explainSkew(said: EvenkeelError, asking: unknown, mine: string): EvenkeelError {
  if (typeof asking !== 'string' || asking === mine) return said;
  const newer = isNewer(asking, mine);
  return new EvenkeelError({
    code: said.code,
    what: `this command is of evenkeel ${asking}, and the server still runs ${mine}, which does not know what it asks`,
    ...(said.where === null ? {} : { where: said.where }),
    why: [said.message, said.why].filter((each) => each !== null).join(': '),
    next: newer
      ? 'evenkeel server restart, which puts the new version in its place; what runs goes on'
      : `use the evenkeel ${mine} that the server was started with; or go back to this older one: evenkeel server restart`,
    cause: said,
  });
}

function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => text.split(/[.+-]/).map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
