import { parentLink } from '../platform/child.ts';
import { saveCodeCacheSoon } from '../platform/entry.ts';
import { evenkeelPaths } from '../platform/paths.ts';
import { reviveKeeperFromEdge } from '../platform/revive-keeper.ts';
import { upbringingIn } from './crew/follower-arguments.ts';
import type { Upbringing } from './crew/follower-arguments.ts';
import type { Follower } from './crew/follower.ts';
import { Edge } from './edge.ts';
import { logToStderr as log } from './log.ts';
import { readOptions } from './options.ts';
import type { EdgeOptions } from './options.ts';

/** The edge process, started by the keeper. What it writes is for its owner's eyes alone. */
process.umask(0o077);
// A traffic server that dies of one odd connection helps nobody: say it, and go on.
process.on('uncaughtException', (error) => log('error', 'unexpected', { error: error.stack ?? String(error) }));

const { env } = process;

// A keeper that died while this process was loading has given it nothing: whoever serves goes on.
if (parentLink()?.connected === false) process.exit(0);

const exit = (): void => process.exit(0);

try {
  const options = await readOptions(env);
  const upbringing = upbringingIn(process.argv);
  const serving = upbringing === null ? await edgeOf(options) : await followerOf(options, upbringing);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void serving.shutdown());
  if (serving instanceof Edge) await serving.start();
  saveCodeCacheSoon();
} catch (error) {
  log('error', 'the edge could not start', { error: error instanceof Error ? (error.stack ?? '') : String(error) });
  process.exit(1);
}

/** One that is alone loads nothing of what several need. */
async function edgeOf(options: EdgeOptions): Promise<Edge> {
  const Crew = options.workers === 1 ? null : (await import('./crew/crew.ts')).Crew;
  return new Edge(options, log, { keeperLost: (orphan) => void reviveKeeper(orphan), exit, Crew });
}

async function followerOf(options: EdgeOptions, upbringing: Upbringing): Promise<Follower> {
  const { Follower } = await import('./crew/follower.ts');
  return new Follower(options, upbringing, log, exit);
}

/** The edge holds the listening sockets, so it brings the next keeper up; traffic goes on meanwhile. */
async function reviveKeeper(edge: Edge): Promise<void> {
  if (!edge.serving) {
    // Nobody waits for an edge that is not ready, but it may have accepted connections; one that drains needs no keeper.
    void edge.drain();
    return;
  }
  log('warn', 'the keeper is gone; starting another', {});
  await reviveKeeperFromEdge({
    env,
    paths: evenkeelPaths(env),
    sockets: () => edge.sockets(),
    serving: () => edge.serving,
    drain: (reason) => {
      log('info', 'draining', { reason });
      void edge.drain();
    },
  });
}
