import { isPrivatePath, MASK, maskCredentials } from './private-values.ts';
import { printable } from './problem.ts';
import type { Problem } from './problem.ts';

const MAX_LENGTH = 200;
const ENTRY = /(?<=^|[\s{,])([A-Za-z_][\w-]*)["']?\s*(?::(?=\s|$)|=)[ \t]*/g;
const VARIABLE_NAME = /^[A-Z_][A-Z0-9_]*$/;
const TELLING_NAME = /pass|secret|token|key|credential|dsn|^url$/i;
/** Says where a value comes from, and nothing of the value. */
const REFERENCE = /^["']?\$\{[\w.-]+\}["']?$/;

/**
 * The problems with the line of `text` that each of them is about. When it is unclear what a line holds (after a
 * syntax error), only the values of keys that `known` lists are shown.
 */
export function withExcerpts(problems: readonly Problem[], text: string, file: string, known: Set<string>): Problem[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  return problems.map((problem) => {
    const line = problem.file === file ? lines[problem.line - 1] : undefined;
    if (line === undefined || line.trim() === '') return problem;
    const path = problem.path === '' ? null : problem.path.split('.');
    const masked = maskLine(line, (name) => {
      if (VARIABLE_NAME.test(name) || TELLING_NAME.test(name)) return true;
      return path === null ? !known.has(name) : isPrivatePath(path);
    });
    // Too long to be looked at, or a mask before the place that the caret would point to.
    if (masked.length > MAX_LENGTH || masked.slice(0, problem.column - 1) !== line.slice(0, problem.column - 1)) {
      return problem;
    }
    return { ...problem, excerpt: printable(masked).trimEnd() };
  });
}

function maskLine(line: string, isPrivate: (name: string) => boolean): string {
  let masked = '';
  let at = 0;
  let inEnv = false;
  for (const match of line.matchAll(ENTRY)) {
    const name = match[1] ?? '';
    if (match.index < at) continue;
    const start = match.index + match[0].length;
    const opensMap = /^[{&|>]/.test(line.slice(start)) || line.slice(start).trim() === '';
    if (!opensMap && (inEnv || isPrivate(name))) {
      const value = valueAt(line, start);
      masked += line.slice(at, start) + (REFERENCE.test(value.trim()) ? value : MASK);
      at = start + value.length;
    }
    inEnv ||= name === 'env' || name === 'users';
  }
  return maskCredentials(masked + line.slice(at));
}

/** A quoted text, a plain one up to the next entry when the line is a `{ ... }`, else the rest of the line. */
function valueAt(line: string, start: number): string {
  const rest = line.slice(start);
  const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(rest);
  if (quoted !== null) return quoted[0];
  if (line.slice(0, start).includes('{')) return /^(?:\$\{[^}]*\}|[^,}])*/.exec(rest)?.[0] ?? rest;
  return rest;
}
