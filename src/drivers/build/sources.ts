import { realpath, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { ServiceConfig } from '../../domain/project/project.ts';
import { withoutVersions } from '../../domain/release/secret-versions.ts';
import { Queues } from './concurrency.ts';
import { buildFailed, isCode } from './failure.ts';
import { sha256, type Manifest } from './manifest.ts';
import type { Objects } from './objects.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';
import { listSource, type SourceRules } from './source-list.ts';
import { StatCache } from './stat-cache.ts';

/** Changes when the same input would give another artifact than before. */
const FORMAT = 1;

export interface ReadOptions {
  /** Where the content goes; null to look only. */
  objects: Objects | null;
  signal?: AbortSignal;
  progress?: (files: number) => void;
}

/** Reads projects' folders; a second look at unchanged files does not open them. */
export class Sources {
  readonly #caches: string;
  readonly #home: string;
  readonly #queues = new Queues();

  constructor(options: { caches: string; home: string }) {
    this.#caches = options.caches;
    this.#home = options.home;
  }

  /** Throws EvenkeelError `build-failed`, Cancelled, or the system's error. */
  async read(root: string, service: ServiceConfig, options: ReadOptions): Promise<Snapshot> {
    const folder = await usableRoot(root);
    const rules: SourceRules = {
      clean: service.build !== null,
      data: dataFolders(service),
      foreign: [this.#home],
    };
    const key = JSON.stringify([folder, rules]);
    // The services of a project lie in one folder: the second one finds what the first has learned.
    return this.#queues.run(key, async () => {
      const cache = await StatCache.load(this.#caches, key);
      const snapshot = await takeSnapshot({
        root: folder,
        list: await listSource(folder, rules),
        objects: options.objects,
        takeOver: false,
        cache,
        signal: options.signal ?? new AbortController().signal,
        progress: options.progress ?? (() => undefined),
      });
      await cache.save(this.#caches, key);
      return snapshot;
    });
  }
}

/** The digest of what a build of this service reads. */
export function inputDigestOf(service: ServiceConfig, source: Manifest): string {
  const { kind, build, dir } = service;
  const variables = Object.entries(withoutVersions(service).env).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([FORMAT, kind, build, dir, variables, dataFolders(service), source.digest]));
}

/** Relative to the root. */
export function dataFolders({ dir, data }: Pick<ServiceConfig, 'dir' | 'data'>): string[] {
  return data.map((folder) => posix.join(dir, folder)).filter((folder) => folder !== '.');
}

async function usableRoot(root: string): Promise<string> {
  try {
    const folder = await realpath(root);
    if ((await stat(folder)).isDirectory()) return folder;
    throw buildFailed(`${root} is not a folder.`, 'Deploy from the folder of evenkeel.yaml.');
  } catch (error) {
    if (isCode(error, 'ENOENT'))
      throw buildFailed(`The project's folder ${root} does not exist any more.`, 'Deploy from where it is now.', error);
    if (isCode(error, 'EACCES'))
      throw buildFailed(`The project's folder ${root} may not be read.`, `Give this user access to it.`, error);
    throw error;
  }
}

/** Whether a tree has this folder, which may be named only by what is in it. */
export function hasFolder(tree: Manifest, folder: string): boolean {
  if (folder === '.') return true;
  const prefix = `${folder}/`;
  return tree.entries.some(({ path }) => path === folder || path.startsWith(prefix));
}

/** Throws when the artifact would have nothing to run in, or nothing to serve. */
export function refuseIncomplete(
  tree: Manifest,
  service: { dir: string; static: string | null; build: string | null },
): void {
  const after = service.build === null ? 'The project has' : 'The build left';
  if (!hasFolder(tree, service.dir))
    throw buildFailed(`${after} no folder ${service.dir}.`, 'Correct `dir` of the service.');
  if (service.static === null) return;
  const served = posix.join(service.dir, service.static);
  if (!hasFolder(tree, served))
    throw buildFailed(
      `${after} no folder ${served}, which \`static\` names.`,
      'Correct `static`, or what `build` makes.',
    );
}
