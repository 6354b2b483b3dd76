/** What was found in the files that a migration brings, and what it means for the release that serves meanwhile. */

/** `breaking`: the running release may fail on the result. `warning`: somebody should know. */
export type Severity = 'breaking' | 'warning';

/** A place in the sources of the running release that names what a statement takes away. */
export interface Use {
  file: string;
  /** From 1. */
  line: number;
  text: string;
}

export interface Finding {
  /** Stable, such as `drop-column`. */
  code: string;
  severity: Severity;
  /** Relative to the project. */
  file: string;
  /** From 1; 0 when it is about the whole file. */
  line: number;
  /** The beginning of the statement, on one line; empty when it is about the whole file. */
  statement: string;
  /** What it does, in words. */
  what: string;
  why: string;
  /** How to get there without breaking anything. */
  next: string;
  /** Where the running release names it; a hint, and no proof that it needs it. */
  uses: Use[];
}

/** What was looked at of one service, and what came of it. */
export interface MigrationReport {
  service: string;
  /** The release that serves. */
  running: string;
  /** How many files are new, and how many of them were read as SQL. */
  files: { added: number; read: number };
  findings: Finding[];
}
