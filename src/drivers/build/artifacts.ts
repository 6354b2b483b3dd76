import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { readTextIfThere } from '../../platform/read-json.ts';
import type { Permit } from '../../ports/permit.ts';
import { isCode } from './failure.ts';
import { parseManifest, type Manifest } from './manifest.ts';
import type { Objects } from './objects.ts';
import { flawOf, linkTree } from './tree.ts';

const DIGEST = /^[0-9a-f]{64}$/;

/** Finished trees, each under the digest of its manifest. A tree has its name only once all of it is there. */
export class Artifacts {
  readonly #trees: string;
  readonly #manifests: string;
  readonly #objects: Objects;

  constructor(folder: string, objects: Objects) {
    this.#trees = join(folder, 'trees');
    this.#manifests = join(folder, 'manifests');
    this.#objects = objects;
  }

  path(artifact: string): string {
    return join(this.#trees, artifact);
  }

  /** Whether it is whole, and none of its files was written to or is missing. */
  async has(artifact: string): Promise<boolean> {
    if (!DIGEST.test(artifact) || !(await isFolder(this.path(artifact)))) return false;
    const manifest = await this.manifest(artifact);
    return manifest !== null && (await flawOf(manifest, this.path(artifact))) === null;
  }

  /** What it holds; null when that is not known. */
  async manifest(artifact: string): Promise<Manifest | null> {
    return parseManifest((await readTextIfThere(this.#manifest(artifact))) ?? '', artifact);
  }

  /** Its objects must be there. A damaged artifact of the same digest is replaced. */
  async add(manifest: Manifest): Promise<string> {
    const { digest } = manifest;
    if (await this.has(digest)) return digest;
    const temporary = this.#objects.temporaryPath();
    try {
      await linkTree(manifest, temporary, this.#objects);
      await mkdir(this.#manifests, { recursive: true, mode: 0o700 });
      await writeFileAtomic(this.#manifest(digest), manifest.text);
      await this.#moveIn(temporary, digest);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return digest;
  }

  async #moveIn(temporary: string, digest: string): Promise<void> {
    await mkdir(this.#trees, { recursive: true, mode: 0o700 });
    try {
      await rename(temporary, this.path(digest));
    } catch (error) {
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
      if (await this.has(digest)) return; // made by another build at this moment
      const damaged = this.#objects.temporaryPath();
      await rename(this.path(digest), damaged);
      await rename(temporary, this.path(digest));
      await rm(damaged, { recursive: true, force: true });
    }
  }

  /** Deletes all that are not kept and what is left of half-made ones; answers how many trees went. */
  async sweep(keep: ReadonlySet<string>, permit: Permit): Promise<number> {
    let removed = 0;
    for (const name of await namesIn(this.#trees)) {
      if (keep.has(name)) continue;
      permit();
      // Out of sight first: half a tree must not look like a whole one.
      const doomed = this.#objects.temporaryPath();
      await rename(this.path(name), doomed);
      await rm(doomed, { recursive: true, force: true });
      removed += 1;
    }
    const trees = new Set(await namesIn(this.#trees));
    for (const name of await namesIn(this.#manifests))
      if (!trees.has(name)) await rm(join(this.#manifests, name), { force: true });
    return removed;
  }

  #manifest(artifact: string): string {
    return join(this.#manifests, artifact);
  }
}

/** Empty when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
