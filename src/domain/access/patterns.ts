import { z } from 'zod';

/**
 * A name of a project or an environment in which `*` stands for any characters, none among them: `staging-*`, `*`.
 * Names themselves never hold a `*`.
 */
export const patternSchema = z
  .string()
  .regex(/^[a-z0-9*-]{1,80}$/, 'a name in small letters, digits and dashes; * stands for any characters');

export const EVERYTHING = '*';

/** Whether the pattern stands for this name. Linear in the length of both, whatever a user made up. */
export function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

/**
 * Whether everything that `inner` stands for, `outer` stands for too. Read as plain text, a `*` of `inner` fits only a `*`
 * of `outer`, which also takes whatever that stands for; so a yes is right, and a no may be too careful.
 */
export const covers = (outer: string, inner: string): boolean => matches(outer, inner);
