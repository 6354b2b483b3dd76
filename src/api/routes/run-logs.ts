import { runId } from '../../domain/schedule/run.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { LogFile } from '../../ports/logs.ts';
import type { ApiDeps } from '../api-deps.ts';

/** How far back runs are asked for. */
const RUNS = 200;

/**
 * What the last run of each scheduled service that is meant wrote; with `instance` that of one run. Throws EvenkeelError
 * `no-logs`.
 */
export async function runLogs(
  deps: ApiDeps,
  query: {
    project: string;
    environment: string;
    service?: string | undefined;
    release?: string | undefined;
    instance?: string | undefined;
  },
): Promise<LogFile[]> {
  const { store, places } = deps.engine.deps;
  const { project, environment, service } = query;
  const scope = { project, environment };
  const runs = await store.runs({ ...scope, ...(service === undefined ? {} : { service }), limit: RUNS });
  const found = new Map<string, LogFile>();
  for (const run of runs) {
    if (run.state === 'skipped' || run.state === 'missed' || found.has(run.service)) continue;
    const id = runId(run);
    if ((query.release ?? run.release) !== run.release || (query.instance ?? id) !== id) continue;
    const file = places.jobLog({ ...scope, job: id });
    found.set(run.service, { file, service: run.service, release: run.release, instance: id });
  }
  if (found.size > 0) return [...found.values()];
  throw new EvenkeelError({
    code: 'no-logs',
    what: `nothing scheduled${service === undefined ? '' : ` of ${service}`} has run yet`,
    next: 'evenkeel run --list shows the runs, evenkeel run SERVICE begins one',
  });
}
