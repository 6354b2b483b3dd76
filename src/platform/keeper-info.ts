import { readFileSync } from 'node:fs';
import type { PortBinding } from './ipc-messages.ts';
import { isIdentity } from './is-identity.ts';
import type { EvenkeelPaths } from './paths.ts';
import { isAlive, type ProcessIdentity } from './process/identity.ts';
import { readJson } from './read-json.ts';

/** What the keeper writes down about itself and its children, for those who meet its remains. */
export type ControllerRole = 'starts' | 'stands by' | 'acts';

export interface KeeperInfo {
  keeper: ProcessIdentity;
  /** Wall time, ms since 1970. */
  startedAt: number;
  version: string;
  /** The edge that serves; null while there is none. */
  edge: ProcessIdentity | null;
  /** The edge that was started last, since before it had a socket: it may serve already, and its keeper be dead before it knew. */
  nextEdge?: ProcessIdentity | null;
  /** The one that acts; while none does, one that starts. */
  controller: ProcessIdentity | null;
  /** How many there ought to be, and all that there are. Absent: one. */
  controllersWanted?: number;
  controllers?: { process: ProcessIdentity; role: ControllerRole }[];
  /** The address of the dashboard; null or absent: there is none. */
  dashboard?: PortBinding | null;
  /** How often a controller has ended since one was last ready. */
  controllerFailures: number;
}

/** What the last keeper wrote, whether it lives or not; null when there was none. */
export async function readKeeperInfo(paths: Pick<EvenkeelPaths, 'keeperInfo'>): Promise<KeeperInfo | null> {
  const value = await readJson(paths.keeperInfo);
  return isKeeperInfo(value) ? value : null;
}

/** An edge of a keeper that died, when it still serves. It holds the listening sockets, and revives a keeper itself. */
export async function orphanedEdge(paths: Pick<EvenkeelPaths, 'keeperInfo'>): Promise<ProcessIdentity | null> {
  const info = await readKeeperInfo(paths);
  if (info === null || isAlive(info.keeper)) return null;
  return [info.edge, info.nextEdge ?? null].find((edge) => edge !== null && isAlive(edge)) ?? null;
}

function isKeeperInfo(value: unknown): value is KeeperInfo {
  if (typeof value !== 'object' || value === null) return false;
  const { keeper, edge, nextEdge, controller, controllerFailures } = value as Partial<
    Record<keyof KeeperInfo, unknown>
  >;
  if (typeof controllerFailures !== 'number') return false;
  if (nextEdge !== undefined && nextEdge !== null && !isIdentity(nextEdge)) return false;
  return isIdentity(keeper) && (edge === null || isIdentity(edge)) && (controller === null || isIdentity(controller));
}

/** The version of evenkeel that runs, from its package.json. */
export function evenkeelVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
