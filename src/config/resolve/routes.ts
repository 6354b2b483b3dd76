import type { Route } from '../../domain/project/project.ts';
import { problemAt } from '../problem.ts';
import type { Problem } from '../problem.ts';
import { descend } from '../tree.ts';
import type { Tree } from '../tree.ts';
import { showRoute } from '../values/route.ts';

export interface RoutesOf {
  service: string;
  routes: readonly Route[];
  /** The merged tree of the service. */
  tree: Tree;
}

/** The edge sends a request to one service, so a route belongs to one. */
export function duplicateRoutes(services: readonly RoutesOf[]): Problem[] {
  const owners = new Map<string, { service: string; line: number }>();
  const problems: Problem[] = [];
  for (const { service, routes, tree } of services) {
    routes.forEach((route, index) => {
      const written = descend(tree, ['routes', String(index)]) ?? descend(tree, ['routes']) ?? tree;
      const shown = showRoute(route);
      const owner = owners.get(shown);
      if (owner === undefined) {
        owners.set(shown, { service, line: written.place.line });
        return;
      }
      const message =
        owner.service === service
          ? `\`${shown}\` is written twice`
          : `\`${shown}\` already belongs to \`${owner.service}\` (line ${owner.line})`;
      const hint = owner.service === service ? 'keep one of them' : 'give one of them a longer path or another host';
      problems.push(problemAt(written.place, written.path, { code: 'duplicate-route', message, hint }));
    });
  }
  return problems;
}
