import type { Exit } from './child.ts';
import { spawnNode } from './child.ts';
import { entryFile, NODE_OPTIONS, processEnv } from './entry.ts';
import { prepareHome } from './paths.ts';
import type { KeeperStart } from './start-keeper.ts';

/**
 * Runs a keeper in the foreground: its log goes to standard error, SIGTERM and SIGINT are passed on to it, and this
 * resolves with how it ended. When another keeper runs it waits for that one's end and takes over; told to stop while it
 * waits, it stops the other. Throws `home-unusable`.
 */
export async function runKeeperInForeground({ env, paths }: KeeperStart): Promise<Exit> {
  prepareHome(paths);
  const keeper = await spawnNode<never, never>({
    entry: entryFile('keeper', env),
    args: ['--stand-by', '--foreground'],
    nodeOptions: NODE_OPTIONS.keeper,
    env: processEnv(env, paths),
    outputFd: 2,
  });
  const passOn = (signal: NodeJS.Signals): void => void keeper.kill(signal);
  process.on('SIGTERM', passOn);
  process.on('SIGINT', passOn);
  try {
    return await keeper.exited;
  } finally {
    process.off('SIGTERM', passOn);
    process.off('SIGINT', passOn);
  }
}
