import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { readJson } from '../../platform/read-json.ts';
import type { Permit } from '../../ports/permit.ts';
import { isCode } from './failure.ts';
import { sha256 } from './manifest.ts';

/** What a controller needs to go on with a build that another one began. Nothing of `env` is in it. */
const recordSchema = z.object({
  id: z.string(),
  project: z.string(),
  environment: z.string(),
  /** Absolute. */
  log: z.string(),
  /** Bytes the log held before the build's command wrote to it. */
  logStart: z.number().int(),
  startedAt: z.number().int(),
  /** What of the service the build needs; folders relative to the root, `static` to `dir`. */
  service: z.object({
    name: z.string(),
    build: z.string().nullable(),
    user: z.string().nullable().default(null),
    dir: z.string(),
    static: z.string().nullable(),
    data: z.array(z.string()),
  }),
  /** Under which the artifact will be found again; null until the source was copied. */
  input: z.object({ digest: z.string(), variant: z.string().nullable() }).nullable(),
  /** Counts from 1 the times that the command was begun; 0 before the first. */
  attempt: z.number().int(),
  end: z
    .discriminatedUnion('state', [
      z.object({
        state: z.literal('done'),
        artifact: z.string(),
        reused: z.boolean(),
        detail: z.string(),
        at: z.number(),
      }),
      z.object({ state: z.literal('failed'), detail: z.string(), at: z.number() }),
    ])
    .nullable(),
});

export type BuildRecord = z.infer<typeof recordSchema>;
export type BuildEnd = NonNullable<BuildRecord['end']>;

/** A folder for each build: `build.json`, the clean copy as it was taken (`source`) and as it is built in (`work`). */
export class BuildRecords {
  readonly #folder: string;
  readonly #temporary: string;
  readonly #permit: Permit;

  constructor(folder: string, temporary: string, permit: Permit) {
    this.#folder = folder;
    this.#temporary = temporary;
    this.#permit = permit;
  }

  folder(id: string): string {
    const safe = id
      .replaceAll(/[^A-Za-z0-9@._-]/g, '%')
      .slice(0, 100)
      .replace(/^\.+/, '');
    return join(this.#folder, `${safe}~${sha256(id).slice(0, 12)}`);
  }

  source(id: string): string {
    return join(this.folder(id), 'source');
  }

  /** Where the manifest of `source` is. */
  sourceManifest(id: string): string {
    return join(this.folder(id), 'source.manifest');
  }

  work(id: string): string {
    return join(this.folder(id), 'work');
  }

  async read(id: string): Promise<BuildRecord | null> {
    return readRecord(this.folder(id));
  }

  async write(record: BuildRecord): Promise<void> {
    const folder = this.folder(record.id);
    this.#permit();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(join(folder, 'build.json'), JSON.stringify(record));
  }

  async all(): Promise<BuildRecord[]> {
    const records = await Promise.all((await this.#names()).map((name) => readRecord(join(this.#folder, name))));
    return records.filter((each) => each !== null);
  }

  /** The record and everything copied. */
  async remove(id: string): Promise<void> {
    await this.#discard(this.folder(id));
  }

  async dropWork(id: string): Promise<void> {
    await this.#discard(this.work(id));
  }

  async dropCopies(id: string): Promise<void> {
    await this.dropWork(id);
    await this.#discard(this.source(id));
    await rm(this.sourceManifest(id), { force: true });
  }

  /** Removes folders whose record says nothing, and ended ones older than that; never one of `live`. */
  async sweep(live: ReadonlySet<string>, endedBefore: number): Promise<void> {
    const used = new Set([...live].map((id) => this.folder(id)));
    for (const name of await this.#names()) {
      const folder = join(this.#folder, name);
      if (used.has(folder)) continue;
      const record = await readRecord(folder);
      const over = record === null ? await timeOf(folder) : (record.end?.at ?? record.startedAt);
      if (over < endedBefore) await this.#discard(folder);
    }
  }

  /** Gone at one stroke: half of a clean copy must not be built. */
  async #discard(path: string): Promise<void> {
    this.#permit();
    const doomed = join(this.#temporary, `${sha256(path).slice(0, 12)}-${process.pid}-${Date.now()}`);
    try {
      await rename(path, doomed);
    } catch (error) {
      if (isCode(error, 'ENOENT')) return;
      throw error;
    }
    await rm(doomed, { recursive: true, force: true });
  }

  async #names(): Promise<string[]> {
    return readdir(this.#folder).catch(() => []);
  }
}

async function readRecord(folder: string): Promise<BuildRecord | null> {
  const parsed = recordSchema.safeParse(await readJson(join(folder, 'build.json')));
  return parsed.success ? parsed.data : null;
}

async function timeOf(path: string): Promise<number> {
  return stat(path).then(
    (stats) => stats.mtimeMs,
    () => 0,
  );
}
