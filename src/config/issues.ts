import { z } from 'zod';

import { suggest } from '../lib/suggest.ts';
import { problemAt } from './problem.ts';
import type { Problem } from './problem.ts';
import { isPrivatePath, maskCredentials } from './private-values.ts';
import { descend, keyPlace } from './tree.ts';
import type { Tree } from './tree.ts';

type Issue = z.core.$ZodIssue;

/**
 * What zod found, in words and with places. `at` is where in the file the validated tree hangs. A message of a schema
 * completes "expected ..."; see `schema/scalars.ts`.
 */
export function problemsOf(issues: readonly Issue[], tree: Tree, schema: z.ZodType, at: readonly string[]): Problem[] {
  const problems = issues.flatMap((issue) => problemsOfIssue(issue, tree, schema, at));
  // A misspelt key is one mistake: that the right one is missing then need not be said.
  const meant = new Set(
    problems.filter(({ code }) => code === 'unknown-key').map(({ path, hint }) => `${parentOf(path)} ${hint}`),
  );
  return problems.filter(
    ({ code, path }) =>
      code !== 'missing-key' || !meant.has(`${parentOf(path)} did you mean "${path.split('.').at(-1)}"?`),
  );
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function problemsOfIssue(issue: Issue, tree: Tree, schema: z.ZodType, at: readonly string[]): Problem[] {
  const path = [...at, ...issue.path.map(String)];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => unknownKey(tree, [...issue.path, key], [...path, key], known));
  }
  if (issue.code === 'invalid_union') {
    const branch = chooseBranch(issue.errors);
    if (branch !== null) {
      const deeper = branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
      return problemsOf(deeper, tree, schema, at);
    }
  }
  if (issue.code === 'invalid_key') {
    const key = String(issue.path.at(-1));
    return [
      problemAt(keyPlace(tree, issue.path), path, {
        code: 'bad-name',
        message: `\`${shorten(key)}\` cannot be a name here`,
        expected: issue.issues[0]?.message ?? null,
      }),
    ];
  }
  const value = descend(tree, issue.path);
  if (value === undefined) {
    return [
      problemAt(keyPlace(tree, issue.path.slice(0, -1)), path, {
        code: 'missing-key',
        message: `\`${String(issue.path.at(-1))}\` is missing`,
        expected: expectedOf(issue),
      }),
    ];
  }
  const expected = expectedOf(issue);
  const said = issue.code === 'custom' ? issue.params : undefined;
  const why = typeof said?.['why'] === 'string' && !isFilled(value) ? said['why'] : null;
  const hint = typeof said?.['hint'] === 'string' && !isFilled(value) ? said['hint'] : missingUnit(value, expected);
  return [
    problemAt(value.place, path, {
      code: issue.code === 'invalid_type' || issue.code === 'invalid_union' ? 'wrong-type' : 'bad-value',
      message: why ?? `expected ${expected}, got ${show(value, path)}`,
      expected,
      hint,
    }),
  ];
}

function unknownKey(tree: Tree, inTree: PropertyKey[], path: string[], known: string[]): Problem {
  const key = path.at(-1) ?? '';
  const meant = suggest(key, known) ?? (isCommand(key) && known.includes('run') ? 'run' : null);
  return problemAt(keyPlace(tree, inTree), path, {
    code: 'unknown-key',
    message: 'unknown key',
    expected: `one of ${known.join(', ')}`,
    hint: meant === null ? null : `did you mean "${meant}"?`,
  });
}

/** What other tools call the command that serves, also with a letter missing. */
const isCommand = (key: string): boolean => suggest(key, ['command', 'cmd', 'start', 'entrypoint']) !== null;

/** Of the alternatives, the one that the user was writing: the right kind of value, with the fewest mistakes in it. */
function chooseBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = branches.filter((issues) => issues.length > 0 && !issues.some(isWrongKind));
  return fitting.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

function isWrongKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return chooseBranch(issue.errors) === null;
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'keys and values',
  record: 'keys and values',
  array: 'a list',
};

function expectedOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return KINDS[issue.expected] ?? issue.expected;
  }
  return issue.message;
}

/** A value for a message: short, and never one that may be private. */
function show(value: Tree, path: readonly string[]): string {
  if (value.kind === 'map') return value.entries.size === 0 ? 'none' : 'keys and values';
  if (value.kind === 'list') return 'a list';
  if (value.filledFrom !== null) return `the value of \${${value.filledFrom}}`;
  if (value.value === null) return 'nothing';
  if (isPrivatePath(path)) return typeof value.value === 'string' ? 'other text' : `a ${typeof value.value}`;
  return typeof value.value === 'string' ? `"${shorten(maskCredentials(value.value))}"` : value.source;
}

function missingUnit(value: Tree, expected: string): string | null {
  if (value.kind !== 'scalar' || typeof value.value !== 'number') return null;
  if (expected.startsWith('a duration')) return `a number needs a unit: ${value.value}s`;
  return expected.startsWith('a size') ? `a number needs a unit: ${value.value}Mi` : null;
}

function isFilled(value: Tree): boolean {
  return value.kind === 'scalar' && value.filledFrom !== null;
}

function shorten(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** The keys that the schema knows at a path, whatever wraps it. */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  return [...new Set(shapesAt(schema, path).flatMap((shape) => Object.keys(shape)))];
}

function shapesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodShape[] {
  const [key, ...rest] = path;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return shapesAt(schema.unwrap(), path);
  if (schema instanceof z.ZodPipe) {
    return shapesAt(schema.in instanceof z.ZodTransform ? schema.out : schema.in, path);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => shapesAt(option, path));
  if (schema instanceof z.ZodObject) {
    if (key === undefined) return [schema.shape];
    const value: z.core.$ZodType | undefined = schema.shape[String(key)];
    return value === undefined ? [] : shapesAt(value, rest);
  }
  if (key === undefined) return [];
  if (schema instanceof z.ZodRecord) return shapesAt(schema.valueType, rest);
  if (schema instanceof z.ZodArray) return shapesAt(schema.element, rest);
  return [];
}

/** Every key that the schema knows anywhere. */
export function allKeys(schema: z.core.$ZodType): Set<string> {
  const found = new Set<string>();
  const visit = (at: z.core.$ZodType): void => {
    if (at instanceof z.ZodOptional || at instanceof z.ZodNullable || at instanceof z.ZodDefault) visit(at.unwrap());
    else if (at instanceof z.ZodPipe) [at.in, at.out].forEach(visit);
    else if (at instanceof z.ZodUnion) at.options.forEach(visit);
    else if (at instanceof z.ZodRecord) visit(at.valueType);
    else if (at instanceof z.ZodArray) visit(at.element);
    else if (at instanceof z.ZodObject) {
      for (const [key, value] of Object.entries<z.core.$ZodType>(at.shape)) {
        found.add(key);
        visit(value);
      }
    }
  };
  visit(schema);
  return found;
}
