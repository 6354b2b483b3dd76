import { z } from 'zod';

import { DURATION_PATTERN, parseDuration } from '../values/duration.ts';
import { parseFolder } from '../values/folder.ts';
import { parsePercent } from '../values/percent.ts';
import { parseHost } from '../values/route.ts';
import { parseSize, SIZE_PATTERN } from '../values/size.ts';

/**
 * The small values of the file. Every message completes "expected ...", and is also what the user is shown.
 */

/** A map with these keys and no others. */
export const keys = z.strictObject;

export function text(expected = 'text') {
  return z.string({ error: expected }).refine((value) => value.trim() !== '', { error: `${expected}, not empty` });
}

/** One line for `sh -c`, or several: it is handed on as it is. */
export const command = text('a command').refine((value) => !value.includes('\0'), { error: 'a command' });

export const yesNo = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean({ error: 'true or false' }),
);

export function wholeNumber(min: number, max: number, expected = `a whole number from ${min} to ${max}`) {
  return z.preprocess(asNumber, z.int({ error: expected }).min(min, { error: expected }).max(max, { error: expected }));
}

export function decimal(min: number, max: number, expected: string) {
  return z.preprocess(
    asNumber,
    z.number({ error: expected }).min(min, { error: expected }).max(max, { error: expected }),
  );
}

/** Milliseconds. */
export function duration(limits: { min?: number; max?: number; say?: string } = {}) {
  const expected = limits.say ?? 'a duration such as 500ms, 30s, 10m or 1h30m';
  const min = limits.min ?? 0;
  const max = limits.max ?? 366 * 86_400_000;
  return z.preprocess(
    (value) => (value === 0 ? '0' : value),
    scalar((value) => {
      const parsed = parseDuration(value);
      return parsed === null || parsed < min || parsed > max ? null : parsed;
    }, expected).meta({ pattern: DURATION_PATTERN }),
  );
}

/** Bytes. */
export const size = scalar((value) => parseSize(value), 'a size such as 512Mi or 2Gi').meta({ pattern: SIZE_PATTERN });

/** `10%` or `10` -> 10. */
export function percent(min: number, max: number) {
  const expected = `a share from ${min}% to ${max}%`;
  return z.preprocess(
    (value) => (typeof value === 'string' ? (parsePercent(value) ?? asNumber(value)) : value),
    z
      .number({ error: expected })
      .min(min, { error: expected })
      .max(max, { error: expected })
      .meta({ acceptsPattern: '^[0-9]+(\\.[0-9]+)? ?%?$' }),
  );
}

export const folder = scalar(parseFolder, 'a folder inside the project, such as dist or apps/web');

export const host = scalar(parseHost, 'a host name such as chat.example.com');

/** A service, database, environment...: short, lower case, fit for file and host names. */
export const NAME_PATTERN = '^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$';
export const name = z.string().regex(new RegExp(NAME_PATTERN), {
  error: 'a name of lower-case letters, digits and dashes, starting with a letter, at most 40 long',
});

/** The name of an environment variable. */
export const VARIABLE_PATTERN = '^[A-Za-z_][A-Za-z0-9_]*$';
export const variableName = z.string().regex(new RegExp(VARIABLE_PATTERN), {
  error: 'the name of a variable: letters, digits and underscores',
});

/** `env`: what a number or yes/no looks like when written is what the program gets, so all of them are read as text. */
const variableValue = z.string({ error: 'text, a number, true or false' }).meta({ acceptsScalars: true });
export const env = z.record(variableName, variableValue, { error: 'variables and their values' });

/** One of them, or several. */
export function oneOrMany<T extends z.ZodType>(item: T, expected: string) {
  return z.union([item.transform((one) => [one]), z.array(item)], { error: expected });
}

/** A string that `parse` understands; null from `parse` is an error. */
export function scalar<T>(parse: (value: string) => T | null, expected: string) {
  return z.string({ error: expected }).transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
}
