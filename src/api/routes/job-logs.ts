import { attemptOf, workId, type WorkKind } from '../../engine/work-ids.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { LogFile } from '../../ports/logs.ts';
import type { ApiDeps } from '../api-deps.ts';

/** How far back rollouts are asked for one that had such a job. */
const ROLLOUTS = 50;

/**
 * What the last job of a kind wrote, of each service that is meant: all its attempts, oldest first. A release that was
 * not built anew, and smoke tests that are requests, wrote nothing. Throws EvenkeelError `no-logs`.
 */
export async function jobLogs(
  deps: ApiDeps,
  query: {
    project: string;
    environment: string;
    job: WorkKind;
    service?: string | undefined;
    release?: string | undefined;
    instance?: string | undefined;
  },
): Promise<LogFile[]> {
  const { store, places } = deps.engine.deps;
  const { project, environment, job: kind } = query;
  const found = new Map<string, LogFile[]>();
  for (const rollout of await store.rollouts({ project, environment, limit: ROLLOUTS })) {
    for (const part of rollout.services) {
      const { service, to: release } = part;
      const has = {
        build: part.builds,
        migrate: part.migrates,
        smoke: part.smokes,
        check: part.checks,
        contract: part.contracts && rollout.contract[service] !== undefined,
      }[kind];
      if (!has || found.has(service)) continue;
      if ((query.service ?? service) !== service || (query.release ?? release) !== release) continue;
      const attempts = Array.from({ length: attemptOf(rollout.attempts, kind, service) }, (_, index) => index + 1);
      const files = attempts.map((attempt): LogFile => {
        const id = workId(rollout.id, kind, service, attempt);
        return { file: places.jobLog({ project, environment, job: id }), service, release, instance: id };
      });
      found.set(
        service,
        files.filter(({ instance }) => (query.instance ?? instance) === instance),
      );
    }
  }
  const files = [...found.values()].flat();
  if (files.length > 0) return files;
  const what = query.instance ?? query.release ?? query.service;
  throw new EvenkeelError({
    code: 'no-logs',
    what: `no rollout had a ${kind} job${what === undefined ? '' : ` of ${what}`}`,
    next: 'evenkeel rollouts lists them',
  });
}
