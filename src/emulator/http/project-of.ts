import type { Project } from '../core/projects.ts';
import type { World } from '../core/world.ts';

/** The parameters by which methods name a project outright. */
const NAMED = ['project', 'projectId', 'projectsId'];

/** The project that a call is about: of its path, or of its query. Throws 403 for one that is not there. */
export function projectOf(world: World, path: Record<string, string>, query: URLSearchParams): Project | null {
  for (const name of NAMED) {
    const named = path[name] ?? query.get(name);
    if (named !== undefined && named !== null && named !== '')
      return world.projects.find(named.replace(/^projects\//, ''));
  }
  for (const value of Object.values(path)) {
    const [, named] = /^(?:projects|namespaces)\/([^/]+)/.exec(value) ?? [];
    // `-` is any project: of accounts, whose address says which.
    if (named !== undefined && named !== '-' && named !== '_') return world.projects.find(named);
  }
  return null;
}
