import { join } from 'node:path';
import type { Places } from '../engine/deps.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';

/** Where output and shared data lie on this machine. */
export function placesIn(paths: Pick<EvenkeelPaths, 'logs' | 'projects'>): Places {
  return {
    instanceLog: ({ project, environment, service, instance }) =>
      join(paths.logs, 'instances', project, environment, service, `${instance}.log`),
    jobLog: ({ project, environment, job }) => join(paths.logs, 'jobs', project, environment, `${job}.log`),
    data: ({ project, environment, service, path }) => join(paths.projects, project, environment, service, path),
  };
}
