/**
 * What the keeper's children do when it dies. The edge holds all listening sockets, so it is the one who brings a new
 * keeper up and hands them to it; nothing is refused meanwhile. The controller does it only when no edge is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeChild } from './child.ts';
import { portId, type KeeperToOrphan, type OrphanToKeeper, type PortBinding } from './ipc-messages.ts';
import { orphanedEdge } from './keeper-info.ts';
import { lockHolder } from './lock.ts';
import type { EvenkeelPaths } from './paths.ts';
import { startAdoptingKeeper, startKeeper, type KeeperStart } from './start-keeper.ts';

/** How long the controller leaves the edge, or anybody, to bring a keeper up, ms. */
const PATIENCE = 1_500;
const LONGEST_PAUSE = 5_000;

/** A listening socket of the edge: the raw handle as it came from the keeper. */
export interface HeldSocket extends PortBinding {
  handle: unknown;
}

export interface EdgeRevival extends KeeperStart {
  /** All sockets on which it listens, at the time of asking. */
  sockets: () => readonly HeldSocket[];
  /** False once it drains: then it has no reason to live on. */
  serving: () => boolean;
  /** Another edge serves: stop accepting, drain, leave. */
  drain: (reason: string) => void;
}

/**
 * Called by a serving edge when its keeper is gone: starts a new keeper with the edge's sockets, again and again until
 * one has taken over (then `drain` is called) or the edge drains for another reason. Resolves at that point. Until then
 * the edge goes on serving.
 */
export async function reviveKeeperFromEdge(revival: EdgeRevival): Promise<void> {
  for (let pause = 50; revival.serving(); pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const drained = await offerSockets(revival).catch(() => null); // no memory, no processes: it may get better
    if (drained !== null) return revival.drain(drained);
    await sleep(pause);
  }
}

/** Why to drain; null when the keeper ended before its edge served. */
async function offerSockets(revival: EdgeRevival): Promise<string | null> {
  const keeper: NodeChild<KeeperToOrphan, OrphanToKeeper> = await startAdoptingKeeper(revival);
  return new Promise((resolve) => {
    const settle = (reason: string | null): void => {
      resolve(reason);
      keeper.release();
    };
    keeper.onMessage((message) => {
      if (message.type === 'drain') settle('another edge has taken over');
      else if (message.type === 'superfluous')
        settle(`another keeper runs (process ${message.keeperPid ?? 'unknown'})`);
    });
    keeper.onDisconnect(() => resolve(null));
    for (const { port, bind, handle } of revival.sockets()) {
      keeper.send({ type: 'adopt', id: portId({ port, bind }), port, bind }, handle);
    }
    keeper.send({ type: 'adopt-all', pid: process.pid });
  });
}

/**
 * Called by a controller when its keeper is gone: waits for a new keeper to appear, and starts one when none does.
 * The controller shall end when this resolves (the new keeper starts another), and free its lock with that.
 */
export async function reviveKeeperFromController(start: KeeperStart): Promise<'appeared' | 'started'> {
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline) {
    const holder = await lockHolder(start.paths.keeperLock);
    // Held by nobody known: by one who only looks at it.
    if (holder.held && holder.pid !== null) return 'appeared';
    if (!(await edgeMayAct(start.paths))) break;
    await sleep(50);
  }
  await startKeeper(start);
  return 'started';
}

const edgeMayAct = async (paths: EvenkeelPaths): Promise<boolean> => (await orphanedEdge(paths)) !== null;
