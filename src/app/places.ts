import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Places } from '../engine/deps.ts';
import { keepPage, pagesFolder } from './pages.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';

const LOG = '.log';
const PROJECT_FILE = 'evenkeel.yaml';

/** Where output and shared data lie on this machine. */
export function placesIn(paths: Pick<EvenkeelPaths, 'logs' | 'projects' | 'edgeDir'>): Places {
  const logsOf = (scope: { project: string; environment: string; service: string }): string =>
    join(paths.logs, 'instances', scope.project, scope.environment, scope.service);
  return {
    instanceLog: ({ instance, ...scope }) => join(logsOf(scope), `${instance}${LOG}`),
    async instanceLogs(scope) {
      const folder = logsOf(scope);
      const names = await readdir(folder).catch(() => []);
      const logs = names.filter((name) => name.endsWith(LOG));
      const found = await Promise.all(
        logs.map(async (name) => {
          const file = join(folder, name);
          const written = await stat(file).catch(() => null);
          return written === null ? [] : [{ instance: name.slice(0, -LOG.length), file, at: written.mtimeMs }];
        }),
      );
      return found.flat().toSorted((a, b) => a.at - b.at);
    },
    jobLog: ({ project, environment, job }) => join(paths.logs, 'jobs', project, environment, `${job}.log`),
    accessLog: ({ project, environment }) => join(paths.logs, 'access', project, `${environment}${LOG}`),
    keepPage: (file) => keepPage(file, pagesFolder(paths)),
    data: ({ project, environment, service, path }) => join(paths.projects, project, environment, service, path),
    async projectFolder(root) {
      try {
        await stat(join(root, PROJECT_FILE));
        return await realpath(root);
      } catch (error) {
        // One that may not be looked into is there all the same.
        const { code } = error as NodeJS.ErrnoException;
        return code === 'ENOENT' || code === 'ENOTDIR' ? null : root;
      }
    },
  };
}
