import { plural } from '../../lib/format.ts';
import type { ServerFacts, WorkFacts, WorkFolder } from './facts.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

/** What is younger may still be under way. */
const SETTLED_MS = 60_000;
const HOUR_MS = 3_600_000;
/** More would fill a screen. */
const SHOWN = 5;

/** Processes without a record, records without a process, and files that nobody needs any more. */
export function workFindings(now: number, { folders, strays, leftovers }: WorkFacts, server: ServerFacts): Finding[] {
  const old = folders.filter(({ since }) => now - since > SETTLED_MS);
  const found: Finding[] = strays.map(({ pid, folder }) =>
    problem('orphans', `process ${pid} belongs to ${folder}, of which there is no record`, `kill ${pid}`),
  );
  const lost = folders.filter(({ state }) => state === 'lost');
  if (lost.length > 0 && server.answer.kind !== 'answer')
    found.push(
      warning(
        'orphans',
        `${list(lost)} died without anybody to record it`,
        'evenkeel up: it records their end and starts what ought to run',
      ),
    );
  else if (lost.some(({ kind }) => kind === 'instance') && lost.some((each) => old.includes(each)))
    found.push(
      warning(
        'orphans',
        `${list(lost)} died, and their end is not recorded yet`,
        'evenkeel status, then `evenkeel doctor` again; evenkeel server restart if it stays so',
      ),
    );
  found.push(...unknownFindings(old, server));
  const stale = leftovers.filter(({ at }) => now - at > HOUR_MS);
  if (stale.length > 0)
    found.push(
      warning(
        'leftovers',
        `${plural(stale.length, 'file or folder', 'files and folders')} of work that was cut short: ${some(stale.map(({ path }) => path))}`,
        `rm -rf ${some(
          stale.map(({ path }) => path),
          ' ',
        )}`,
      ),
    );
  if (found.length > 0) return found;
  const living = folders.filter(({ state }) => state === 'living').length;
  return [ok('orphans', `${plural(living, 'process', 'processes')} of instances and jobs, each with its record`)];
}

/** Instances that live and that no environment of the store has asked for. */
function unknownFindings(folders: readonly WorkFolder[], { answer }: ServerFacts): Finding[] {
  const known = answer.kind === 'answer' ? answer.environments : null;
  if (known === null) return [];
  const living = folders.filter(
    ({ state, kind, scope }) => state === 'living' && kind === 'instance' && scope !== null,
  );
  return living.flatMap(({ name, pid, scope }) => {
    const environment = known.find((each) => each.project === scope?.project && each.environment === scope.environment);
    if (environment !== undefined) return [];
    const whose = `${scope?.project ?? ''} ${scope?.environment ?? ''}`;
    return [
      problem(
        'orphans',
        `${name} runs for ${whose}, of which the store knows nothing`,
        pid === null ? 'evenkeel status' : `kill ${pid}`,
      ),
    ];
  });
}

const list = (folders: readonly WorkFolder[]): string => some(folders.map(({ kind, name }) => `${kind} ${name}`));

function some(names: readonly string[], separator = ', '): string {
  const shown = names.slice(0, SHOWN).join(separator);
  return names.length > SHOWN && separator !== ' ' ? `${shown} and ${names.length - SHOWN} more` : shown;
}
