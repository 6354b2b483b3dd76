import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { loadModule, parseSync } from 'libpg-query';
import { list, nodeOf } from '../../domain/migration/ast.ts';
import { factsOf, type StatementFacts } from '../../domain/migration/effects.ts';
import type { Finding } from '../../domain/migration/finding.ts';
import { judgeFiles, type ReadFile, type ReadStatement } from '../../domain/migration/judge.ts';
import { splitStatements, type Statement } from '../../domain/migration/split.ts';
import { upPart } from '../../domain/migration/up-part.ts';
import type { PlacedFile } from '../../ports/migrations.ts';
import type { ReaderLimits } from './limits.ts';
import { searchSources } from './search.ts';

/**
 * Reads SQL in a thread of its own, which is ended when it takes too long, and whose memory goes with it. Says what it
 * read after each file, and what it came to after the last.
 */

export type Said = { kind: 'file'; file: ReadFile } | { kind: 'read' } | { kind: 'findings'; findings: Finding[] };

export interface SqlWork {
  files: PlacedFile[];
  sources: PlacedFile[];
  limits: ReaderLimits;
}

/** Data, and not a change of what it is put into; parsing thousands of rows takes long. */
const DATA = /^(?:insert|copy|comment)\b/i;
/** Others only set variables, or print. */
const INCLUDES = /^\\(?:i|ir|include|include_relative|gexec|!|copy)\b/;

const EXCERPT = 120;

/** A statement in which a password may stand, or where one was tried to be given. */
const CONFIDENTIAL = /password|^(?:alter|create)\s+(?:user|role)\b/i;

const hidden = (shown: string): string => shown.replaceAll(/'[^']*'?/g, "'…'");

/** On one line. */
function excerptOf(statement: string): string {
  const line = statement.slice(0, 4 * EXCERPT).replaceAll(/\s+/g, ' ');
  const shown = CONFIDENTIAL.test(line) ? hidden(line) : line;
  return shown.length > EXCERPT ? `${shown.slice(0, EXCERPT - 1)}…` : shown;
}

const command = (what: string): StatementFacts => ({
  ...factsOf(null),
  effects: [{ code: 'unread-command', what, table: null, names: [] }],
});

function readStatement({ text, line }: Statement): ReadStatement[] {
  const at = { line, excerpt: excerptOf(text) };
  if (DATA.test(text)) return [];
  try {
    const { stmts } = parseSync(text) as { stmts?: unknown };
    return list(stmts).map((each) => ({ ...at, facts: factsOf(stmtOf(each)), problem: null }));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return [{ ...at, facts: null, problem: CONFIDENTIAL.test(text) ? hidden(problem) : problem }];
  }
}

const stmtOf = (raw: unknown): unknown => (raw as { stmt?: unknown }).stmt ?? nodeOf(raw).node;

function readFile({ path, absolute }: PlacedFile): ReadFile {
  try {
    const { statements, commands } = splitStatements(upPart(readFileSync(absolute, 'utf8')));
    const followed = commands
      .filter(({ text }) => INCLUDES.test(text))
      .map(({ text, line }) => ({
        line,
        excerpt: excerptOf(text),
        facts: command(`runs ${text.split(/\s/)[0]}`),
        problem: null,
      }));
    return { path, statements: [...statements.flatMap(readStatement), ...followed], unread: null };
  } catch (error) {
    return { path, statements: [], unread: error instanceof Error ? error.message : String(error) };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port is no window
const say = (said: Said): void => parentPort?.postMessage(said);

const { files, sources, limits } = workerData as SqlWork;
await loadModule();
const read: ReadFile[] = [];
for (const file of files) {
  const each = readFile(file);
  read.push(each);
  say({ kind: 'file', file: each });
}
say({ kind: 'read' });
say({ kind: 'findings', findings: judgeFiles(read, searchSources(read, sources, limits)) });
