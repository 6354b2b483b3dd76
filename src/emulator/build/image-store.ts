import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readlink, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { parseReference, type Image, type ImageConfig } from './image.ts';

interface Index {
  images: Record<string, Omit<Image, 'folder'>>;
  /** Digest by `name:tag`. */
  tags: Record<string, string>;
}

/** The images that were built, in one folder, with an index beside them. One emulator at a time writes to it. */
export class ImageStore {
  readonly #folder: string;
  readonly #index: Index;
  #writing: Promise<void> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
    this.#index = readIndex(join(folder, 'index.json'));
  }

  /** Takes a folder over as an image; the same content twice is one image. */
  async add(folder: string, config: ImageConfig, createdAt: number): Promise<Image> {
    const { digest, bytes } = await digestOf(folder, config);
    // Two builds of the same sources end at once: the second finds what the first has made.
    const mine = this.#turn.then(() => this.#take(folder, { digest, bytes, config, createdAt }));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #take(folder: string, image: Omit<Image, 'folder'>): Promise<Image> {
    const { digest } = image;
    const known = this.byDigest(digest);
    if (known !== null) {
      await rm(folder, { recursive: true, force: true });
      return known;
    }
    await mkdir(this.#folder, { recursive: true });
    const at = this.#folderOf(digest);
    await rm(at, { recursive: true, force: true });
    await rename(folder, at);
    this.#index.images[digest] = image;
    await this.#save();
    return { ...image, folder: at };
  }

  async tag(reference: string, digest: string): Promise<void> {
    const { name, tag } = parseReference(reference);
    if (tag === null) return;
    this.#index.tags[`${name}:${tag}`] = digest;
    await this.#save();
  }

  /** By tag or digest; null when it was never built here. */
  find(reference: string): Image | null {
    const { name, tag, digest } = parseReference(reference);
    const found = digest ?? this.#index.tags[`${name}:${tag}`];
    return found === undefined ? null : this.byDigest(found);
  }

  byDigest(digest: string): Image | null {
    const image = this.#index.images[digest];
    const folder = this.#folderOf(digest);
    return image === undefined || !existsSync(folder) ? null : { ...image, folder };
  }

  /** Resolves when all that was said is on disk. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #folderOf(digest: string): string {
    return join(this.#folder, digest.replace('sha256:', ''));
  }

  #save(): Promise<void> {
    const write = async () => {
      await mkdir(this.#folder, { recursive: true });
      await writeFileAtomic(join(this.#folder, 'index.json'), JSON.stringify(this.#index), { durable: false });
    };
    // One after the other, whatever became of the former: each writes all there is.
    this.#writing = this.#writing.then(write, write);
    return this.#writing;
  }
}

function readIndex(path: string): Index {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Index;
  } catch {
    return { images: {}, tags: {} };
  }
}

async function digestOf(folder: string, config: ImageConfig): Promise<{ digest: string; bytes: number }> {
  const hash = createHash('sha256').update(JSON.stringify(config));
  let bytes = 0;
  const walk = async (path: string, name: string): Promise<void> => {
    const names = await readdir(path);
    for (const each of names.toSorted()) {
      const at = join(path, each);
      const full = `${name}/${each}`;
      const stats = await lstat(at);
      hash.update(`\0${full}\0${stats.mode.toString(8)}\0`);
      if (stats.isDirectory()) await walk(at, full);
      else if (stats.isSymbolicLink()) hash.update(await readlink(at));
      else if (stats.isFile()) {
        bytes += stats.size;
        for await (const chunk of createReadStream(at)) hash.update(chunk as Buffer);
      }
    }
  };
  await walk(folder, '');
  return { digest: `sha256:${hash.digest('hex')}`, bytes };
}
