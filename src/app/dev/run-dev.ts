import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Project } from '../../domain/project/project.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { newId } from '../../platform/ids.ts';
import { environmentsOf } from './environment.ts';
import type { Say } from './events.ts';
import { openFront, type Behind } from './front.ts';
import { startGuard } from './guard.ts';
import {
  addressOf,
  concernedBy,
  needsPort,
  ownersOf,
  planServices,
  preferredPorts,
  routesHere,
  within,
  type Planned,
} from './plan.ts';
import { freePorts } from './ports.ts';
import { killAll, RUN_MARK } from './processes.ts';
import { DevService } from './service.ts';
import { watchSources } from './watch.ts';

const PROJECT_FILE = 'evenkeel.yaml';

export interface DevRequest {
  project: Project;
  /** The `dev` command of each service that has one. */
  dev: ReadonlyMap<string, string>;
  /** Names; empty: all. */
  services: readonly string[];
  /** Of the front; null: that of the environment. */
  port: number | null;
  color: boolean;
  /** Ends it in good order. */
  signal: AbortSignal;
  /** What to do when it shall end this instant; returns how to forget that. */
  onQuit(stop: () => void): () => void;
  onEvent: Say;
}

/**
 * Runs services from the project's own folder until `signal` fires, and resolves when nothing of them is left. Throws
 * EvenkeelErrors when it cannot begin: `secret-missing`, `port-taken`, `port-refused`, `no-free-port`, `dev-guard`.
 */
export async function runDev(request: DevRequest, paths: EvenkeelPaths, env: NodeJS.ProcessEnv): Promise<void> {
  const { project, onEvent: say } = request;
  const over = new AbortController();
  const end = (): void => {
    if (over.signal.aborted) return;
    say({ type: 'stopping', service: null, text: 'stopping; Ctrl-C again ends everything at once' });
    over.abort();
  };
  request.signal.addEventListener('abort', end, { once: true });
  // The terminal is closed.
  process.on('SIGHUP', end);
  const closing: (() => unknown)[] = [
    () => process.off('SIGHUP', end),
    () => request.signal.removeEventListener('abort', end),
  ];
  try {
    if (request.signal.aborted) return;
    const planned = planServices(project, request.dev, request.services);
    const services = await prepare(request, planned, { paths, env });
    const front = await frontOf(request, planned, services.all);
    if (front !== null) closing.push(() => front.close());
    await makeDataFolders(project.root, planned, say);
    noteBuilds(planned, say);
    const grace = Math.max(0, ...planned.map(({ config }) => config.stopGraceMs));
    const guard = await startGuard(`${RUN_MARK}=${services.run}`, { graceMs: grace, env });
    closing.push(() => guard.dismiss());
    const quit = request.onQuit(() => killAll({ marks: [`${RUN_MARK}=${services.run}`], sessions: new Set() }));
    closing.push(quit);
    const watch = await watchFor(request, planned, services.all, paths.home);
    closing.push(() => watch.close());
    await Promise.all([aborted(over.signal), ...[...services.all.values()].map((each) => each.live(over.signal))]);
  } finally {
    over.abort();
    for (const close of closing.toReversed()) await close();
  }
  say({ type: 'stopped', service: null, text: 'stopped; nothing is left running' });
}

/** A run of nothing but folders has no program to wait for. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

interface Prepared {
  /** Names this run in the environment of all its processes. */
  run: string;
  all: Map<string, DevService>;
}

async function prepare(
  { project, color, onEvent: say }: DevRequest,
  planned: readonly Planned[],
  { paths, env }: { paths: EvenkeelPaths; env: NodeJS.ProcessEnv },
): Promise<Prepared> {
  const run = newId('dev');
  const asked = project.services.filter(({ kind }) => kind !== 'worker').map(({ name }) => name);
  const listening = planned.filter(needsPort).map(({ config }) => config.name);
  const key = `${project.root}\n${project.environment.name}`;
  const ports = await freePorts(preferredPorts(key, asked), listening);
  const programs = planned.filter(({ command }) => command !== null);
  const environments = await environmentsOf(programs, { project, ports, given: env, paths, color });
  const all = new Map<string, DevService>();
  for (const each of programs) {
    const { name } = each.config;
    const service = new DevService({
      planned: each,
      root: project.root,
      port: needsPort(each) ? (ports.get(name) ?? null) : null,
      env: environments.get(name) ?? {},
      run,
      say,
      after: () => each.after.flatMap((before) => all.get(before) ?? []),
    });
    all.set(name, service);
  }
  return { run, all };
}

/** In production they are there before a program starts, too. */
async function makeDataFolders(root: string, programs: readonly Planned[], say: Say): Promise<void> {
  for (const { config } of programs) {
    for (const folder of config.data) {
      const path = within(config.dir, folder);
      const made = await mkdir(join(root, path), { recursive: true });
      if (made !== undefined)
        say({ type: 'note', service: config.name, text: `made ${path}, the data of ${config.name}` });
    }
  }
}

/** What nobody builds here may be old, or not there at all. */
function noteBuilds(planned: readonly Planned[], say: Say): void {
  for (const { config, reloads } of planned) {
    if (config.build === null || reloads) continue;
    const text = `${config.name} has a build and no dev command: here it is what was last built`;
    say({ type: 'note', service: config.name, text });
  }
}

/** Null when none of the services has a route. */
async function frontOf(
  { project, port: given, onEvent: say }: DevRequest,
  planned: readonly Planned[],
  services: ReadonlyMap<string, DevService>,
): Promise<{ close(): Promise<void> } | null> {
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

async function watchFor(
  { project, onEvent: say }: DevRequest,
  planned: readonly Planned[],
  services: ReadonlyMap<string, DevService>,
  home: string,
): Promise<{ close(): void }> {
  const owners = ownersOf(planned);
  const changed = (paths: string[]): void => {
    const own = paths.find((path) => path === PROJECT_FILE || /^\.env(\.[^/]*)?$/.test(path));
    if (own !== undefined) {
      const text = `${own} changed; evenkeel reads it when \`evenkeel dev\` is started again`;
      say({ type: 'note', service: null, text });
    }
    const sources = paths.filter((path) => path !== PROJECT_FILE);
    for (const [name, service] of services) {
      const [first, ...more] = sources.filter((path) => concernedBy(path, owners).includes(name));
      if (first === undefined || service.state === 'waiting') continue;
      if (service.filesChanged()) {
        const others = more.length === 0 ? '' : ` and ${more.length} more`;
        say({ type: 'changed', service: name, text: `${first}${others} changed; ${name} starts anew` });
      }
    }
  };
  return watchSources(project.root, {
    leaveOut: [
      relative(project.root, home),
      ...planned.flatMap(({ config }) => config.data.map((folder) => within(config.dir, folder))),
    ],
    onChange: changed,
    onProblem: (why) => say({ type: 'note', service: null, text: `not every change is seen: ${why}` }),
  });
}
