/** What is wrong with a configuration, and where: the one shape in which every part of `config/` complains. */

export type Severity = 'error' | 'warning';

export type ProblemCode =
  | 'no-file'
  | 'unreadable'
  | 'too-large'
  | 'syntax'
  | 'duplicate-key'
  | 'unknown-key'
  | 'missing-key'
  | 'wrong-type'
  | 'bad-value'
  | 'bad-name'
  | 'not-available'
  | 'contradiction'
  | 'unknown-reference'
  | 'duplicate-route'
  | 'cycle'
  | 'unknown-environment'
  | 'unset-variable'
  | 'bad-variable'
  | 'secret-misplaced'
  | 'missing-folder'
  | 'env-file'
  | 'weak-health'
  | 'certificate';

export interface Problem {
  code: ProblemCode;
  severity: Severity;
  /** As given to the user: relative to the project's root where that is known. */
  file: string;
  /** Counted from 1; 0 when the problem belongs to no line. */
  line: number;
  column: number;
  /** Keys from the top of the file, such as `services.api.health`; empty for the file as a whole. */
  path: string;
  /** One sentence without a full stop. Never holds the value of a variable, of an `env` entry or of a secret. */
  message: string;
  /** What would have been right, or null. */
  expected: string | null;
  /** The next step, such as `did you mean "health"?`, or null. */
  hint: string | null;
  /** The line of the file, with private values masked, or null. */
  excerpt: string | null;
}

/** A place in a file. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export interface Complaint {
  code: ProblemCode;
  message: string;
  severity?: Severity;
  expected?: string | null;
  hint?: string | null;
}

export function problemAt(place: Place, path: readonly string[], complaint: Complaint): Problem {
  return {
    code: complaint.code,
    severity: complaint.severity ?? 'error',
    file: place.file,
    line: place.line,
    column: place.column,
    path: printable(path.join('.')),
    message: printable(complaint.message),
    expected: complaint.expected ?? null,
    hint: complaint.hint === undefined || complaint.hint === null ? null : printable(complaint.hint),
    excerpt: null,
  };
}

/** Text of a file must not steer the terminal that shows it. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (char) =>
    char === '\t' ? char : '\u00b7',
  );
}

/** By file and place, so that a reader walks through the file once; equal complaints about one place are said once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  const unique = problems.filter((problem) => {
    const key = `${problem.file}:${problem.line}:${problem.column}:${problem.path}:${problem.code}:${problem.message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return unique.toSorted(
    (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.path, b.path),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
