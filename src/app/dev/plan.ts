import type { Project, Route, ServiceConfig } from '../../domain/project/project.ts';
import { hash53 } from '../../lib/hash.ts';

/** Below the ports that Linux gives to outgoing connections, above those of instances. */
export const DEV_PORTS = { first: 30_000, last: 32_767 };

/** A service as `evenkeel dev` runs it. */
export interface Planned {
  config: ServiceConfig;
  /** Null: a folder of static files, which needs no program. */
  command: string | null;
  /** It has a `dev` command, which looks after changes itself. */
  reloads: boolean;
  /** Those of `after` that run here, too. */
  after: string[];
}

/** The chosen services (none named: all), in the order in which they start. */
export function planServices(
  { services }: Project,
  dev: ReadonlyMap<string, string>,
  chosen: readonly string[],
): Planned[] {
  // What runs at its times only is run while somebody works on it, and asks for it by name.
  const here = services.filter(({ name, schedule }) =>
    chosen.length === 0 ? schedule === undefined : chosen.includes(name),
  );
  const names = new Set(here.map(({ name }) => name));
  return here.map((config) => {
    const own = dev.get(config.name);
    return {
      config,
      command: own ?? config.run,
      reloads: own !== undefined,
      after: config.after.filter((before) => names.has(before)),
    };
  });
}

/** Who listens on a port: what is asked over HTTP, and the `dev` command of a static folder, which serves it. */
export const needsPort = ({ config, command }: Planned): boolean => command !== null && config.kind !== 'worker';

/**
 * The port that each service should have: the same at every start, whichever services are chosen, so that addresses
 * hold over restarts and between two terminals. `key` names the project and its environment.
 */
export function preferredPorts(key: string, names: readonly string[]): Map<string, number> {
  const ports = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of names.toSorted()) {
    const port = candidatePorts(`${key}\n${name}`).find((each) => !taken.has(each)) ?? DEV_PORTS.first;
    taken.add(port);
    ports.set(name, port);
  }
  return ports;
}

/** All ports, beginning anywhere: with the one that the key falls on. */
function candidatePorts(key: string): number[] {
  const count = DEV_PORTS.last - DEV_PORTS.first + 1;
  return portsFrom(DEV_PORTS.first + (hash53(key) % count));
}

/** All ports, this one first. */
export function portsFrom(start: number): number[] {
  const count = DEV_PORTS.last - DEV_PORTS.first + 1;
  return Array.from({ length: count }, (_, step) => DEV_PORTS.first + ((start - DEV_PORTS.first + step) % count));
}

/** A folder that somebody looks after, relative to the project's root; null: a folder that is served as it is. */
export interface Owner {
  folder: string;
  service: string | null;
}

/**
 * Whom a changed file (relative, with forward slashes) concerns: the services of the innermost folder that it lies in.
 * What lies in nobody's folder is shared, and concerns all.
 */
export function concernedBy(path: string, owners: readonly Owner[]): string[] {
  const around = owners.filter(({ folder }) => folder === '.' || path.startsWith(`${folder}/`));
  const depth = Math.max(...around.map(({ folder }) => depthOf(folder)));
  const concerned = around.length === 0 ? owners : around.filter(({ folder }) => depthOf(folder) === depth);
  return [...new Set(concerned.flatMap(({ service }) => (service === null ? [] : [service])))];
}

const depthOf = (folder: string): number => (folder === '.' ? 0 : folder.split('/').length);

/** The folders of the planned services, as `concernedBy` wants them. */
export function ownersOf(planned: readonly Planned[]): Owner[] {
  return planned.flatMap(({ config, command }): Owner[] => {
    if (command !== null) return [{ folder: config.dir, service: config.name }];
    return config.static === null ? [] : [{ folder: within(config.dir, config.static.dir), service: null }];
  });
}

/** A folder of a service, relative to the project's root. */
export function within(dir: string, folder: string): string {
  if (dir === '.') return folder;
  return folder === '.' ? dir : `${dir}/${folder}`;
}

/** What editors leave for a moment beside the file that is edited. */
export const isEditorsOwn = (name: string): boolean => /^\.#|^#.*#$|~$|\.sw[a-z]$|^4913$|\.tmp$/.test(name);

/**
 * The routes of a service for the front. A host that leads elsewhere is had with `.localhost` behind it, too, which
 * browsers take for this machine.
 */
export function routesHere(routes: readonly Route[]): Route[] {
  return routes.flatMap((route) =>
    route.host === null ? [route] : [route, { ...route, host: `${route.host}.localhost` }],
  );
}

/** Where a route is opened in a browser. */
export function addressOf({ host, path }: Route, bind: string, port: number): string {
  const open = bind === '0.0.0.0' || bind === '::' ? '127.0.0.1' : bind;
  const local = open.includes(':') ? `[${open}]` : open;
  return `http://${host === null ? local : `${host}.localhost`}:${port}${path}`;
}

/** How long until the next start, ms: grows with each short life, starts over after a long one. */
export function nextDelay(former: number, livedMs: number): number {
  if (former === 0 || livedMs >= STABLE_MS) return 1_000;
  return Math.min(former * 2, 30_000);
}

/** Who ran for this long, ms, was well: its end is a new story. */
const STABLE_MS = 10_000;
