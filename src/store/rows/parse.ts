import { z } from 'zod';
import { EvenkeelError } from '../../ports/errors.ts';

/** Compiles only when a schema and the domain type that it reads say the same, in both directions. */
export type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : never) : never;

/** `readonly` says nothing about what is stored. */
type Plain<T> = T extends readonly unknown[]
  ? number extends T['length']
    ? Plain<T[number]>[]
    : T
  : T extends object
    ? { -readonly [K in keyof T]: Plain<T[K]> }
    : T;

/** Where a value was read, for the error of one that cannot be understood. */
export interface RowName {
  table: string;
  id: string;
}

/** The value, checked. A row that cannot be read stops the caller; guessing what a rollout meant would be worse. */
export function parseValue<S extends z.ZodType>(schema: S, value: unknown, row: RowName): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unreadable(row, z.prettifyError(parsed.error), parsed.error);
}

export function parseJson<S extends z.ZodType>(schema: S, text: string, row: RowName): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(row, 'it is not JSON', error);
  }
  return parseValue(schema, value, row);
}

/**
 * Refuses, before it is written, what could not be read back: a missing field found here names the code that forgot
 * it, found after a restart it would be a corrupt database.
 */
export function formatJson(schema: z.ZodType, value: unknown, row: RowName): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) return JSON.stringify(value);
  throw new EvenkeelError({
    code: 'store-invalid',
    what: `What should be stored as ${row.table} ${row.id} is not well formed; nothing was written.`,
    why: z.prettifyError(parsed.error),
    exit: 2,
    cause: parsed.error,
  });
}

function unreadable(row: RowName, why: string, cause: unknown): EvenkeelError {
  return new EvenkeelError({
    code: 'store-corrupt',
    what: `The row ${row.id} of the table ${row.table} cannot be read.`,
    where: `${row.table} ${row.id}`,
    why,
    next: 'If an older evenkeel was started on this state, start the newer one again; else restore the state from a backup.',
    exit: 2,
    cause,
  });
}
