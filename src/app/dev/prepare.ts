import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askedServices } from '../../domain/project/asked-services.ts';
import type { Project } from '../../domain/project/project.ts';
import { newId } from '../../platform/ids.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { environmentsOf } from './environment.ts';
import type { Say } from './events.ts';
import { needsPort, preferredPorts, within, type Planned } from './plan.ts';
import { freePorts } from './ports.ts';
import { DevService } from './service.ts';

export interface Prepared {
  /** Names this run in the environment of all its processes. */
  run: string;
  /** By name; those that have a program. */
  services: Map<string, DevService>;
  /** The ports at which services ask each other, by the name of who is asked. */
  addresses: Map<string, number>;
}

export interface Surroundings {
  project: Project;
  paths: EvenkeelPaths;
  env: NodeJS.ProcessEnv;
  color: boolean;
  say: Say;
}

/** Gives the services their ports and environments. Starts nothing. Throws `secret-missing` or `no-free-port`. */
export async function prepare(
  planned: readonly Planned[],
  { project, paths, env, color, say }: Surroundings,
): Promise<Prepared> {
  const run = newId('dev');
  const programs = planned.filter(({ command }) => command !== null);
  const { ports, addresses } = await portsFor(project, programs);
  const environments = await environmentsOf(programs, { project, ports, addresses, given: env, paths, color });
  const services = new Map<string, DevService>();
  for (const each of programs) {
    const { name } = each.config;
    const service = new DevService({
      planned: each,
      root: project.root,
      port: needsPort(each) ? (ports.get(name) ?? null) : null,
      env: environments.get(name) ?? {},
      run,
      say,
      after: () => each.after.flatMap((before) => services.get(before) ?? []),
    });
    services.set(name, service);
  }
  return { run, services, addresses };
}

/** Of programs, and of the addresses at which they are asked. */
async function portsFor(
  project: Project,
  programs: readonly Planned[],
): Promise<{ ports: Map<string, number>; addresses: Map<string, number> }> {
  const asked = askedServices(...project.services.map(({ env }) => env));
  const listening = project.services.filter(({ kind }) => kind !== 'worker').map(({ name }) => name);
  const preferred = preferredPorts(`${project.root}\n${project.environment.name}`, [
    ...listening,
    ...asked.map(addressName),
  ]);
  const here = programs.filter(needsPort).map(({ config }) => config.name);
  const all = await freePorts(preferred, [...here, ...asked.filter((name) => here.includes(name)).map(addressName)]);
  const pick = (names: readonly string[], key: (name: string) => string): Map<string, number> =>
    new Map(names.map((name) => [name, all.get(key(name)) ?? 0]));
  return { ports: pick(listening, (name) => name), addresses: pick(asked, addressName) };
}

/** No service has such a name. */
const addressName = (service: string): string => `${service}/address`;

/** In production they are there before a program starts, too. */
export async function makeDataFolders(root: string, programs: readonly Planned[], say: Say): Promise<void> {
  for (const { config } of programs) {
    for (const folder of config.data) {
      const path = within(config.dir, folder);
      const made = await mkdir(join(root, path), { recursive: true });
      if (made !== undefined)
        say({ type: 'note', service: config.name, text: `made ${path}, the data of ${config.name}` });
    }
  }
}

/** What a deploy does and this does not: a program may miss it. */
export function noteLeftOut(planned: readonly Planned[], say: Say): void {
  for (const { config, reloads } of planned) {
    const { name, build, migrate } = config;
    const note = (text: string): void => say({ type: 'note', service: name, text });
    if (build !== null && !reloads) note(`${name} has a build and no dev command: here it is what was last built`);
    if (migrate !== null) note(`${name} has a migration, which is not run here: ${migrate}`);
  }
}
