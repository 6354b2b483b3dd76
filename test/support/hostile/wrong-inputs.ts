import { z } from 'zod';
import type { Operation } from '../../../src/api/contract/operation.ts';
import { operations } from '../../../src/api/contract/operations.ts';
import { inQuery, type OperationId, routeOf } from '../../../src/api/contract/paths.ts';

/** A request that cannot be read, and the field that says why. */
export interface Wrong {
  readonly id: OperationId;
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown> | null;
  readonly field: string;
  /** What is wrong with it. */
  readonly how: string;
}

interface Schema {
  type?: string | string[];
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  minLength?: number;
}

const VALUES: Readonly<Record<string, unknown>> = {
  string: 'nonsense',
  integer: 7,
  number: 7.5,
  boolean: true,
  null: null,
  array: [[]],
  object: { nonsense: {} },
};

/** Of every operation each field once with everything that it is not. Derived from the contract: new operations come along. */
export function wrongInputs(): Wrong[] {
  return (Object.entries(operations) as [OperationId, Operation][]).flatMap(([id, { input }]) => {
    const { method, names } = routeOf(id);
    const { properties = {} } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as Schema;
    return Object.entries(properties).flatMap(([field, schema]) => {
      if (names.includes(field)) return inText(schema, true).map((value) => asked(id, { field, value }));
      if (inQuery(method)) return inText(schema, false).map((value) => asked(id, { field, value }));
      return inJson(schema).map((value) => asked(id, { field, value }));
    });
  });
}

/** Where everything is text. */
function inText(schema: Schema, inPath: boolean): string[] {
  const types = typesOf(schema);
  const wrong = ['a\0b', 'x'.repeat(4_000)];
  if (types.has('string')) return [...wrong, ...(schema.minLength === undefined || inPath ? [] : [''])];
  return ['nonsense', '1e999', '9'.repeat(400), 'NaN', '-', '[]', 'null', '__proto__', ...(inPath ? [] : [''])];
}

function inJson(schema: Schema): unknown[] {
  const types = typesOf(schema);
  const wrong = Object.entries(VALUES).flatMap(([type, value]) => (types.has(type) ? [] : [value]));
  const texts = types.has('string') ? ['a\0b', 'half \ud800 a character'] : [];
  const items = schema.items === undefined ? [] : inJson(schema.items).map((value) => [value]);
  return [...wrong, ...texts, ...items, deep(200)];
}

function typesOf(schema: Schema): Set<string> {
  if (schema.anyOf !== undefined) return new Set(schema.anyOf.flatMap((each) => [...typesOf(each)]));
  const said = [schema.type ?? []].flat();
  // What nothing is said of takes anything.
  if (said.length === 0 && schema.enum === undefined && schema.const === undefined) return new Set(Object.keys(VALUES));
  // Of a few words none is nonsense; of a number without a fraction any number is one.
  if (schema.enum !== undefined) return new Set();
  return new Set(said.includes('number') ? [...said, 'integer'] : said);
}

function deep(levels: number): unknown {
  let value: unknown = [];
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

function asked(id: OperationId, { field, value }: { field: string; value: unknown }): Wrong {
  const { method, path, names } = routeOf(id);
  const text = (name: string): string => encodeURIComponent(name === field ? String(value) : goodFor(name));
  const query = inQuery(method) && !names.includes(field) ? `?${field}=${encodeURIComponent(String(value))}` : '';
  const body = inQuery(method) ? null : names.includes(field) ? {} : { [field]: value };
  const how = (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 40);
  return {
    id,
    method,
    path: `${path.replaceAll(/:(\w+)/g, (_, name: string) => text(name))}${query}`,
    body,
    field,
    how,
  };
}

const goodFor = (name: string): string => (name === 'dueAt' ? '1' : name === 'name' ? 'KEY' : 'x');

/** Names that lead elsewhere where somebody makes a path or a property of them. */
export const STRANGE_NAMES: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '%',
  '%2e%2e%2f',
  '*',
  '?',
  '#',
  "x' or '1'='1",
  '$(id)',
  '-rf',
  'x'.repeat(200),
  '😀'.repeat(50),
  '\u202e',
];

/** Names that lead out of a folder, as they stand in a URL. */
export const WAYS_OUT: readonly string[] = [
  '..%2f..%2fother',
  '..%2F..%2Fetc%2Fpasswd',
  '%2e%2e%2f%2e%2e%2fother',
  '..%5c..%5cother',
  '%2fetc%2fpasswd',
  'x%2f..%2f..',
  'shop%00',
  '%00',
  '%0aother',
];
