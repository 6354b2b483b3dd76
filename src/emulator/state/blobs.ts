import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.ts';

/** Bytes by key (objects of buckets, sources, images' layers): in memory, or as files of a folder. */
export class Blobs {
  private readonly folder: string | null;
  private readonly kept = new Map<string, Buffer>();

  constructor(folder: string | null) {
    this.folder = folder;
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    if (this.folder === null) {
      this.kept.set(key, bytes);
      return;
    }
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.path(this.folder, key), bytes, { durable: false });
  }

  async get(key: string): Promise<Buffer | undefined> {
    if (this.folder === null) return this.kept.get(key);
    try {
      return await readFile(this.path(this.folder, key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    this.kept.delete(key);
    if (this.folder !== null) await rm(this.path(this.folder, key), { force: true });
  }

  /** Names of objects may be anything; those of files may not. */
  private path(folder: string, key: string): string {
    return join(folder, createHash('sha256').update(key).digest('hex'));
  }
}
