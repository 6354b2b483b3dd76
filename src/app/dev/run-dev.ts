import type { Project } from '../../domain/project/project.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { watchFor } from './changes.ts';
import type { Say } from './events.ts';
import { innerFronts, publicFront } from './fronts.ts';
import { startGuard } from './guard.ts';
import { planServices } from './plan.ts';
import { makeDataFolders, noteLeftOut, prepare } from './prepare.ts';
import { killAll, RUN_MARK } from './processes.ts';

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
    const { run, services, addresses } = await prepare(planned, { project, paths, env, color: request.color, say });
    const mark = `${RUN_MARK}=${run}`;
    const front = await publicFront(planned, services, { project, port: request.port, say });
    if (front !== null) closing.push(() => front.close());
    await innerFronts(services, addresses, (inner) => closing.push(() => inner.close()));
    await makeDataFolders(project.root, planned, say);
    noteLeftOut(planned, say);
    const graceMs = Math.max(0, ...planned.map(({ config }) => config.stopGraceMs));
    const guard = await startGuard(mark, { graceMs, env });
    closing.push(() => guard.dismiss());
    closing.push(request.onQuit(() => killAll({ marks: [mark], sessions: new Set() })));
    const watch = await watchFor(planned, services, { project, home: paths.home, say });
    closing.push(() => watch.close());
    await Promise.all([aborted(over.signal), ...[...services.values()].map((each) => each.live(over.signal))]);
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
