import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../platform/lock.ts';
import type { Lock } from '../platform/lock.ts';
import type { Api, Door } from './core/api.ts';
import { controlDoor } from './core/control.ts';
import { createWorld } from './core/world.ts';
import type { World, WorldOptions } from './core/world.ts';
import { standardApis, standardDoors } from './apis/registry.ts';
import { EmulatorServer } from './http/server.ts';
import { processParts } from './processes.ts';
import type { RunOptions } from './run/options.ts';

export interface EmulatorOptions extends Partial<Omit<WorldOptions, 'token'>> {
  /** 0, the default: any free one. */
  port?: number;
  /** What requests have to present. */
  token: string;
  /** How patient Cloud Run is. */
  run?: Partial<RunOptions>;
  /** APIs beside the standard ones; one of the same document replaces the standard one. */
  apis?: readonly Api[];
  /** Doors beside the standard ones; they are asked first. */
  doors?: readonly Door[];
}

export interface Emulator {
  /** Such as `http://127.0.0.1:8085`. */
  url: string;
  world: World;
  close(): Promise<void>;
}

/** Of the real cloud's time, unless somebody says otherwise: a Cloud SQL instance of five minutes takes five seconds. */
const USUAL_SPEED = 60;

/** The folder of a state is another emulator's. */
export class FolderTaken extends Error {
  constructor(folder: string) {
    super(`another emulator keeps its state in ${folder}; end it first, or give another folder`);
    this.name = 'FolderTaken';
  }
}

/**
 * Starts an emulator of Google Cloud's APIs on loopback. Throws `FolderTaken` when another one keeps its state in the
 * folder, and what `listen` throws when the port is taken.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { token, folder = null, projects = null, speed = USUAL_SPEED, postgres = null } = options;
  const lock = folder === null ? null : await lockFolder(folder);
  const world = await createWorld({ token, folder, projects, speed, postgres });
  const own = options.apis ?? [];
  const processes = processParts(options.run);
  // Where a path alone decides (`v1/operations/…`), those whose operations do not say whose they are come first.
  const standard = [...standardApis, ...processes.apis];
  const apis = [...own, ...standard.filter(({ document }) => !own.some((api) => api.document === document))];
  const doors = [controlDoor, ...(options.doors ?? []), ...processes.doors, ...standardDoors];
  const server = new EmulatorServer(world, apis, doors);
  try {
    world.url = await server.listen(options.port ?? 0);
    for (const api of apis) await api.install?.(world);
  } catch (error) {
    await server.close().catch(() => undefined);
    lock?.release();
    throw error;
  }
  return {
    url: world.url,
    world,
    close: async () => {
      await server.close();
      for (const api of apis) await api.stop?.(world);
      for (const door of doors) await door.stop?.();
      await world.state.flush();
      lock?.release();
    },
  };
}

async function lockFolder(folder: string): Promise<Lock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(folder, 'lock'));
  if (lock === null) throw new FolderTaken(folder);
  return lock;
}
