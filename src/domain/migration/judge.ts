import type { Effect, StatementFacts } from './effects.ts';
import type { Finding, MigrationReport, Severity, Use } from './finding.ts';
import { formsOf } from './names.ts';
import { type RuleCode, RULES } from './rules.ts';

/** One statement of a file, with what it does; without `facts` it could not be read, and `problem` says why. */
export interface ReadStatement {
  line: number;
  /** Its beginning, on one line. */
  excerpt: string;
  facts: StatementFacts | null;
  problem: string | null;
}

/** A new file, as far as it was read. */
export interface ReadFile {
  path: string;
  statements: ReadStatement[];
  /** Why it, or the rest of it, was not read; null when it was. */
  unread: string | null;
}

export type UsesOf = (names: readonly string[]) => Use[] | null;

/** How often one kind of thing that was not read is said of one file. */
const UNREAD_SAID = 3;

/**
 * What new files mean for a release that serves. What takes something away counts as breaking when that release's sources
 * name it, and else as a warning: they may name it in a way that a search does not see. What tightens is always breaking,
 * for a release need not name a column to leave it empty.
 *
 * @param usesOf where the running release's sources name any of these; null: not all of them could be searched
 */
export function judgeFiles(files: readonly ReadFile[], usesOf: UsesOf): Finding[] {
  const created = new Set<string>();
  const findings: Finding[] = [];
  for (const file of files) {
    let within = false;
    let patient = false;
    let impatient: ReadStatement | null = null;
    let unread = 0;
    for (const statement of file.statements) {
      const { facts } = statement;
      const at = { file: file.path, line: statement.line, statement: statement.excerpt };
      if (facts === null) {
        if (unread++ < UNREAD_SAID)
          findings.push(finding('unread-statement', at, `a statement: ${statement.problem ?? 'it is not understood'}`));
        continue;
      }
      patient ||= facts.setsLockTimeout;
      within = facts.begins || (within && !facts.ends);
      if (facts.concurrently && within)
        findings.push(finding('concurrently-in-transaction', at, 'works concurrently, inside of a transaction'));
      const effects = facts.effects.filter(({ table }) => table === null || !created.has(table));
      for (const effect of effects) findings.push(judged(effect, at, usesOf));
      const waits = facts.locks && (effects.length > 0 || facts.effects.length === 0);
      if (waits && !patient) impatient ??= statement;
      for (const table of facts.creates) created.add(table);
    }
    if (unread > UNREAD_SAID)
      findings.push(finding('unread-statement', whole(file.path), `${unread - UNREAD_SAID} more statements`));
    if (impatient !== null)
      findings.push(
        finding(
          'no-lock-timeout',
          { file: file.path, line: impatient.line, statement: impatient.excerpt },
          'waits for a lock without a limit',
        ),
      );
    if (file.unread !== null) findings.push(finding('unread-file', whole(file.path), file.unread));
  }
  return findings;
}

type Place = Pick<Finding, 'file' | 'line' | 'statement'>;

const whole = (file: string): Place => ({ file, line: 0, statement: '' });

function judged(effect: Effect, at: Place, usesOf: UsesOf): Finding {
  const { kind } = RULES[effect.code];
  if (kind === 'tightened')
    return { ...finding(effect.code, at, effect.what, 'breaking'), uses: usesOf(effect.names) ?? [] };
  if (kind !== 'gone') return finding(effect.code, at, effect.what);
  const searched = effect.names.some((name) => formsOf(name).length > 0);
  // A name that is too short to be looked for may be anywhere, as one in files that were not searched.
  const uses = searched ? usesOf(effect.names) : null;
  const severity: Severity = uses === null || uses.length > 0 ? 'breaking' : 'warning';
  const made = finding(effect.code, at, effect.what, severity);
  return severity === 'breaking'
    ? { ...made, uses: uses ?? [] }
    : { ...made, why: 'its name was not found in the sources of the running release, which is a hint and no proof' };
}

function finding(code: RuleCode, at: Place, what: string, severity: Severity = 'warning'): Finding {
  const { why, next } = RULES[code];
  return { code, severity, ...at, what, why, next, uses: [] };
}

/** What was brought beside SQL, in words. */
export function judgeOthers(brought: {
  programs: readonly { path: string }[];
  changed: readonly { path: string }[];
}): Finding[] {
  const { programs, changed } = brought;
  const [first] = programs;
  const said = programs.slice(0, UNREAD_SAID).map(({ path }) => path.split('/').at(-1));
  const more = programs.length > said.length ? ` and ${programs.length - said.length} more` : '';
  return [
    ...(first === undefined
      ? []
      : [
          finding(
            'unread-code',
            whole(first.path),
            `${programs.length} new program${programs.length === 1 ? '' : 's'}: ${said.join(', ')}${more}`,
          ),
        ]),
    ...changed.map(({ path }) => finding('changed-file', whole(path), 'a file of the running release was changed')),
  ];
}

export type Verdict = { verdict: 'clear' | 'warn' | 'refuse'; reason: string };

/**
 * Whether a deploy with these findings may begin. `breaking`: what the file says of this service; `allowed`: a person
 * said so for this once.
 */
export function decideMigrations(
  reports: readonly (MigrationReport & { breaking: 'refuse' | 'warn' | 'off' })[],
  allowed: boolean,
): Verdict {
  const heeded = reports.filter(({ breaking }) => breaking !== 'off');
  const refusing = heeded.filter(
    ({ breaking, findings }) => breaking === 'refuse' && findings.some(({ severity }) => severity === 'breaking'),
  );
  const all = heeded.flatMap(({ findings }) => findings);
  const count = all.filter(({ severity }) => severity === 'breaking').length;
  if (all.length === 0) return { verdict: 'clear', reason: 'nothing was found in the new migrations' };
  const warnings = all.length - count;
  const said = [
    ...(count > 0 ? [`${count} of what the new migrations do may break what serves`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'} about the new migrations`] : []),
  ].join(', ');
  if (refusing.length === 0) return { verdict: 'warn', reason: said };
  if (allowed) return { verdict: 'warn', reason: `${said}; allowed by hand` };
  const who = refusing.map(({ service, running }) => `${running} (${service})`);
  return { verdict: 'refuse', reason: `the new migrations may break ${who.join(', ')}` };
}
