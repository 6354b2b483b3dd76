import { join } from 'node:path';
import type { Project } from '../../domain/project/project.ts';
import type { Say } from './events.ts';
import { openFront, type Behind, type Front } from './front.ts';
import { addressOf, routesHere, within, type Planned } from './plan.ts';
import type { DevService } from './service.ts';

/** The one address of all routes, said for each of them; null when there is none. `port`: another than the environment's. */
export async function publicFront(
  planned: readonly Planned[],
  services: ReadonlyMap<string, DevService>,
  { project, port: given, say }: { project: Project; port: number | null; say: Say },
): Promise<Front | null> {
  const { environment, root } = project;
  const routes = planned.flatMap(({ config }) =>
    config.routes.map((route) => ({ route, behind: behindOf(config, route.path) })),
  );
  if (routes.length === 0) return null;
  const port = given ?? environment.port;
  // Elsewhere the default is to be reached from everywhere, which nobody wants of unfinished work.
  const bind = environment.name === 'development' ? environment.bind : '127.0.0.1';
  const front = await openFront({
    port,
    bind,
    routes: routes.flatMap(({ route, behind }) => routesHere([route]).map((each) => ({ ...each, behind }))),
  });
  for (const { route, behind } of routes) {
    const url = addressOf(route, bind, port);
    const name = 'service' in behind ? behind.service.name : behind.name;
    say({ type: 'open', service: name, text: `${url} leads to ${name}`, url });
  }
  return front;

  function behindOf(config: Planned['config'], prefix: string): Behind {
    const service = services.get(config.name);
    if (service !== undefined) return { service };
    const { dir, spa } = config.static ?? { dir: '.', spa: false };
    return { folder: join(root, within(config.dir, dir)), spa, prefix, name: config.name };
  }
}

/**
 * The addresses at which services ask each other: as in production not the program's own, so that what is asked while it
 * starts anew waits.
 */
export async function innerFronts(
  services: ReadonlyMap<string, DevService>,
  addresses: ReadonlyMap<string, number>,
  opened: (front: Front) => void,
): Promise<void> {
  for (const [name, service] of services) {
    const port = addresses.get(name);
    if (port === undefined || service.port === null) continue;
    opened(await openFront({ port, bind: '127.0.0.1', routes: [{ host: null, path: '/', behind: { service } }] }));
  }
}
