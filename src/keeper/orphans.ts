import { setTimeout as sleep } from 'node:timers/promises';
import { parentLink, type ParentLink } from '../platform/child.ts';
import type { KeeperToOrphan, OrphanToKeeper, PortBinding } from '../platform/ipc-messages.ts';
import { orphanedEdge } from '../platform/keeper-info.ts';
import type { ListenHandle } from '../platform/listen-handle.ts';
import { lockHolder, takeLock, type Lock } from '../platform/lock.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { isAlive, processIdentity, type ProcessIdentity } from '../platform/process/identity.ts';
import type { Say } from './keeper-log.ts';

/** How long an edge without keeper may take to bring a keeper up itself, ms. */
const PATIENCE = 2_000;
/** How long an edge may take to hear that it is to leave, ms. */
const DISMISSAL = 2_000;

export interface Adoption {
  /** The edge that handed the sockets over and serves until it is told to drain; null when it died meanwhile. */
  edge: ProcessIdentity | null;
  sockets: { port: PortBinding; handle: ListenHandle }[];
  link: ParentLink<OrphanToKeeper, KeeperToOrphan>;
}

/**
 * Receives the sockets of the edge that started this keeper. Call it before anything else is awaited: what arrives
 * without a listener is lost. Null when an edge did not start it; an edge that dies in mid-sentence has said enough.
 */
export function adoption(): Promise<Adoption> | null {
  const link = parentLink<OrphanToKeeper, KeeperToOrphan>();
  if (link === null) return null;
  const sockets: Adoption['sockets'] = [];
  return new Promise((resolve) => {
    link.onMessage((message, handle) => {
      if (message.type === 'adopt-all') resolve({ edge: processIdentity(message.pid), sockets, link });
      // A socket that was closed while it was sent arrives without a handle.
      else if (handle !== undefined && handle !== null) {
        sockets.push({ port: { port: message.port, bind: message.bind }, handle: handle as ListenHandle });
      }
    });
    const cutShort = (): void => resolve({ edge: null, sockets, link });
    link.onDisconnect(cutShort);
  });
}

/** Resolves when the edge whose sockets were adopted is no longer there. */
export async function gone({ edge, link }: Adoption): Promise<void> {
  if (edge === null) return;
  await new Promise<void>((resolve) => link.onDisconnect(resolve));
}

/** Tells the edge whose sockets were adopted to leave: without this it would bring up a keeper again. */
export function dismiss({ link }: Adoption): Promise<void> {
  return new Promise((resolve) => {
    if (!link.connected) return resolve();
    link.onDisconnect(() => resolve());
    link.send({ type: 'drain' });
    setTimeout(resolve, DISMISSAL).unref();
  });
}

/**
 * Leaves an edge without keeper the time to bring a keeper up with its sockets: one that is started by anybody else
 * could not bind them. Returns the edge when it did not; the sockets are free once it is gone.
 */
async function awaitOrphan(paths: EvenkeelPaths): Promise<ProcessIdentity | null> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const edge = await orphanedEdge(paths);
    if (edge === null || (await keeperPid(paths)) !== null) return null;
    if (performance.now() >= deadline) return edge;
    await sleep(50);
  }
}

/** The keeper that runs. A lock that is held by nobody known is held by one who only looks, or has just begun. */
async function keeperPid(paths: EvenkeelPaths): Promise<number | null> {
  const holder = await lockHolder(paths.keeperLock);
  return holder.held ? holder.pid : null;
}

/** The right to be the keeper, and an edge that has to end first because it holds the sockets and has no keeper. */
export interface Turn {
  lock: Lock;
  orphan: ProcessIdentity | null;
}

/** Takes the lock once no edge is about to bring a keeper up; null when another keeper has it. */
export async function turnWithoutSockets(paths: EvenkeelPaths, waitMs: number): Promise<Turn | null> {
  for (;;) {
    const orphan = await awaitOrphan(paths);
    const lock = await takeLock(paths.keeperLock, { waitMs });
    if (lock === null) return null;
    // A keeper may have been there when the edge was looked for, and have died since: then it is the edge's turn again.
    if (orphan !== null || (await orphanedEdge(paths)) === null) return { lock, orphan };
    lock.release();
  }
}

/** Ends an edge that has no keeper and does not bring one up: by asking, after `graceMs` by force. */
export async function endOrphan(edge: ProcessIdentity, graceMs: number, say: Say): Promise<void> {
  say(`edge ${edge.pid} has no keeper and is told to end`);
  const deadline = performance.now() + graceMs;
  signal(edge, 'SIGTERM');
  while (isAlive(edge)) {
    if (performance.now() >= deadline) signal(edge, 'SIGKILL');
    await sleep(50);
  }
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    if (isAlive(identity)) process.kill(identity.pid, name);
  } catch {
    // it ended in between
  }
}
