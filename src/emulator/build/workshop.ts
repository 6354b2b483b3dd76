import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { World } from '../core/world.ts';
import { ImageStore } from './image-store.ts';
import { hostEnv, standIns } from './tools.ts';

/** Where one emulator builds images and keeps them, and what of this machine programs may use. */
export interface Workshop {
  folder: string;
  images: ImageStore;
  /** Folders that come first in PATH. */
  tools: string[];
  hostPath: string;
  hostEnv: Record<string, string>;
}

/** The workshop that builds and services share, in the state's folder or a temporary one. The last who leaves closes it. */
export class SharedWorkshop {
  #users = 0;
  #opened: Promise<Workshop> | null = null;
  #temporary: string | null = null;

  async enter(world: World): Promise<Workshop> {
    this.#users += 1;
    return this.open(world);
  }

  /** For those that entered. */
  open(world: World): Promise<Workshop> {
    this.#opened ??= this.#make(world);
    return this.#opened;
  }

  /** Nothing of the one who leaves may run in it any more. */
  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const shop = await this.#opened;
    this.#opened = null;
    await shop?.images.settled();
    if (this.#temporary !== null)
      await rm(this.#temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    this.#temporary = null;
  }

  async #make({ options }: World): Promise<Workshop> {
    if (options.folder === null) this.#temporary = await mkdtemp(join(tmpdir(), 'evenkeel-emulator-'));
    const folder = options.folder ?? this.#temporary ?? '';
    // What a killed emulator was building is of no use to anybody.
    await rm(join(folder, 'scratch'), { recursive: true, force: true });
    return {
      folder,
      images: new ImageStore(join(folder, 'images')),
      tools: await standIns(join(folder, 'tools')),
      hostPath: process.env['PATH'] ?? '',
      hostEnv: hostEnv(process.env),
    };
  }
}
