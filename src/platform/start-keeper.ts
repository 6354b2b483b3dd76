import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { spawnDetachedNode, spawnNode, type Exit, type NodeChild, type NodeChildSpec } from './child.ts';
import { entryFile, NODE_OPTIONS, processEnv } from './entry.ts';
import type { KeeperToOrphan, OrphanToKeeper } from './ipc-messages.ts';
import { rotateWhenLarge } from './log.ts';
import type { EvenkeelPaths } from './paths.ts';

export interface KeeperStart {
  env: NodeJS.ProcessEnv;
  paths: EvenkeelPaths;
}

/** Starts a keeper that belongs to nobody. It ends at once, with code 0, when another one runs. */
export function startKeeper(start: KeeperStart): Promise<{ pid: number; exited: Promise<Exit> }> {
  return withSpec(start, [], spawnDetachedNode);
}

/** Starts a keeper that waits to be given listening sockets (see revive-keeper.ts). */
export function startAdoptingKeeper(start: KeeperStart): Promise<NodeChild<KeeperToOrphan, OrphanToKeeper>> {
  return withSpec(start, ['--adopt'], spawnNode<KeeperToOrphan, OrphanToKeeper>);
}

async function withSpec<T>(
  { env, paths }: KeeperStart,
  args: readonly string[],
  spawn: (spec: NodeChildSpec) => Promise<T>,
): Promise<T> {
  const outputFd = openOutput(paths, 'keeper');
  try {
    return await spawn({
      entry: entryFile('keeper', env),
      args,
      nodeOptions: NODE_OPTIONS.keeper,
      env: processEnv(env, paths),
      outputFd,
    });
  } finally {
    closeSync(outputFd);
  }
}

/** The file for what a process of ours writes to its standard output and error: mostly the reason of a crash. */
export const outputFile = (paths: Pick<EvenkeelPaths, 'logs'>, name: string): string =>
  join(paths.logs, `${name}.out.log`);

/** Opens it to append, and begins a new one when it has grown large. The caller closes the descriptor. */
export function openOutput(paths: Pick<EvenkeelPaths, 'logs'>, name: string): number {
  const file = outputFile(paths, name);
  rotateWhenLarge(file, 2 << 20);
  return openSync(file, 'a', 0o600);
}
