import type { ActView } from '../api/contract/audit.ts';
import type { Style } from './screen/style.ts';
import { table } from './screen/table.ts';
import { dateAndTime } from './screen/time.ts';

/** Acts as lines of a table, the newest first. */
export function actLines(acts: readonly ActView[], options: { style: Style; columns: number }): string[] {
  const titles = [
    { title: 'when' },
    { title: 'who' },
    { title: 'from', leaveOut: 1 },
    { title: 'did' },
    { title: 'where' },
    { title: 'what', leaveOut: 2 },
    { title: 'result' },
  ];
  const rows = acts.map((act) => [
    dateAndTime(act.at),
    act.who,
    act.source,
    wordsOf(act.operation),
    whereOf(act),
    whatOf(act),
    resultOf(act, options.style),
  ]);
  return table(titles, rows, options);
}

/** `setMaintenance` -> `set maintenance`. */
const wordsOf = (operation: string): string => operation.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function whereOf({ organization, project, environment, service }: ActView): string {
  if (project === null) return organization === null ? 'server' : `organization ${organization}`;
  return [project, environment, service].filter((part) => part !== null).join(' ');
}

/** What a person would look for first: the rollout, or what was asked for in few words. */
function whatOf({ rollout, input, before }: ActView): string {
  if (rollout !== null) return [kindOf(input), rollout].filter((part) => part !== null).join(' ');
  const { on, services, names, name, bounds, login, role } = Object(input) as Record<string, unknown>;
  // Who is named by id is known by name before.
  const { login: known, role: had } = Object(before) as Record<string, unknown>;
  const parts = [
    on === true ? 'on' : on === false ? 'off' : null,
    listOf(services),
    listOf(names),
    login ?? known,
    role ?? had,
    name,
    sizeOf(bounds),
  ];
  return parts.filter((part): part is string => typeof part === 'string').join(' ');
}

function kindOf(input: unknown): string | null {
  const { kind } = Object(input) as { kind?: unknown };
  return typeof kind === 'string' ? kind : null;
}

const listOf = (value: unknown): string | null => (Array.isArray(value) ? value.join(', ') : null);

function sizeOf(value: unknown): string | null {
  const { min, max } = Object(value) as { min?: unknown; max?: unknown };
  if (typeof min !== 'number' || typeof max !== 'number') return null;
  return min === max ? `${min}` : `${min} to ${max}`;
}

function resultOf({ result, code }: ActView, style: Style): string {
  if (result === 'done') return style.green('done');
  if (result === 'unknown') return style.yellow('no result known');
  return style.red(code === null ? result : `${result}: ${code}`);
}
