import type { Problem } from './problem.ts';

/**
 * Problems as a person reads them in a terminal or a log: one line each, the source below it where it helps, a count
 * at the end. Plain text; ends with a newline unless there is nothing to say.
 */
export function renderProblems(problems: readonly Problem[]): string {
  if (problems.length === 0) return '';
  return `${problems.map(renderProblem).join('\n')}\n${renderCount(problems)}\n`;
}

/** One problem, without a newline at the end. */
export function renderProblem(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const said = problem.hint === null ? problem.message : `${problem.message}; ${problem.hint}`;
  const head = [place, problem.path, problem.severity === 'warning' ? `warning: ${said}` : said];
  const lines = [head.filter((part) => part !== '').join('  ')];
  if (problem.excerpt !== null) lines.push(...renderExcerpt(problem, problem.excerpt));
  // A hint that names the right thing makes the list of all right things noise.
  if (problem.expected !== null && !problem.message.includes(problem.expected) && !isAnswer(problem.hint)) {
    lines.push(`    expected ${problem.expected}`);
  }
  return lines.join('\n');
}

function renderExcerpt(problem: Problem, excerpt: string): string[] {
  const number = String(problem.line);
  const before = excerpt.slice(0, problem.column - 1);
  const token = /^("(?:[^"\\]|\\.)*"|'[^']*'|\$?\{[\w.:-]*\}|[^\s,:{}[\]#"']+)/.exec(excerpt.slice(problem.column - 1));
  const caret = before.replaceAll(/[^\t]/g, ' ') + '^'.repeat(Math.max(1, token?.[0].length ?? 1));
  return [`  ${number} | ${excerpt}`, `  ${' '.repeat(number.length)} | ${caret}`];
}

function isAnswer(hint: string | null): boolean {
  return hint !== null && (hint.startsWith('did you mean') || hint.startsWith('write '));
}

function renderCount(problems: readonly Problem[]): string {
  const warnings = problems.filter(({ severity }) => severity === 'warning').length;
  const errors = problems.length - warnings;
  const parts = [errors > 0 ? plural(errors, 'error') : null, warnings > 0 ? plural(warnings, 'warning') : null];
  return parts.filter((part) => part !== null).join(', ');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
