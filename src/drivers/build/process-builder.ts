import type { ServiceConfig } from '../../domain/project/project.ts';
import type { TreeFile } from '../../domain/migration/files.ts';
import type { BuildObservation, Builder, BuildRequest } from '../../ports/builder.ts';
import type { Permit } from '../../ports/permit.ts';
import type { JobRunner } from '../../ports/runtime.ts';
import type { SourceInfo } from '../../domain/release/release.ts';
import { jobIds } from './build-job.ts';
import type { BuildEnd, BuildRecord } from './build-record.ts';
import { BuildRun } from './build-run.ts';
import { collectGarbage, sweepTemporary } from './collect.ts';
import { Queues } from './concurrency.ts';
import { failureText } from './failure.ts';
import { boundPackageCache, MOST_CACHED } from './package-cache.ts';
import { filesOf } from './manifest.ts';
import { readSourceInfo } from './source-info.ts';
import { dataFolders, inputDigestOf } from './sources.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

export interface ProcessBuilderOptions {
  /** Absolute folder of evenkeel; artifacts go to `artifacts`, what package managers keep to `cache`. */
  home: string;
  /** Runs the builds' commands. */
  jobs: JobRunner;
  /** Milliseconds between two looks at a running command. */
  pollMs?: number;
  /** Bytes that the caches of package managers may take; 5 GiB by default. */
  mostCached?: number;
  /** Bytes of the disk that builds leave to what runs; none by default. */
  reserve?: number;
  /** Takes what is secret out of the last lines of a build. */
  redact?: (text: string) => Promise<string>;
  /** Asked before anything is deleted or written down; everything may be when absent. */
  permit?: Permit;
}

/** Between two looks at the size of those caches, ms: they hold many files. */
const CACHE_LOOK_MS = 3_600_000;

/** Builds on this machine. One builder at a time may work in a home; lock or lease of the controller see to that. */
export function processBuilder({
  home,
  jobs,
  pollMs = 200,
  mostCached = MOST_CACHED,
  reserve = 0,
  redact = async (text) => text,
  permit = () => {},
}: ProcessBuilderOptions): Builder {
  return new ProcessBuilder(openWorkshop(home, jobs, { pollMs, redact, reserve, permit }), mostCached);
}

class ProcessBuilder implements Builder {
  readonly #shop: Workshop;
  readonly #live = new Map<string, BuildRun>();
  /** Ends that could not be written down, on a full disk say. */
  readonly #unrecorded = new Map<string, BuildEnd>();
  readonly #removeWhenOver = new Set<string>();
  readonly #starting = new Queues();
  readonly #mostCached: number;
  #cacheLookedAt: number | null = null;
  #recovered: Promise<void> | null = null;

  constructor(shop: Workshop, mostCached: number) {
    this.#shop = shop;
    this.#mostCached = mostCached;
  }

  /** What a command here comes to is seen when it runs, and costs nothing. */
  async examine(): Promise<void> {}

  async start(request: BuildRequest): Promise<void> {
    await this.#recover();
    await this.#starting.run(request.id, () => this.#start(request));
  }

  async #start(request: BuildRequest): Promise<void> {
    const { id } = request;
    if (this.#live.has(id) || this.#unrecorded.has(id)) return;
    const former = await this.#shop.records.read(id);
    if (former !== null && former.end !== null) return;
    const record = former ?? newRecord(request);
    // On a full disk the run meets the same trouble, and says so.
    if (former === null) await this.#shop.records.write(record).catch(() => undefined);
    this.#live.set(id, this.#follow(new BuildRun(this.#shop, record, request)));
  }

  async observe(id: string): Promise<BuildObservation> {
    await this.#recover();
    const run = this.#live.get(id);
    if (run !== undefined) return { state: 'running', detail: run.detail };
    const end = this.#unrecorded.get(id) ?? (await this.#shop.records.read(id))?.end ?? null;
    // One that has no end and does not run has to be started again: its environment is written nowhere.
    if (end === null) return this.#live.has(id) ? this.observe(id) : { state: 'absent' };
    return end.state === 'failed'
      ? { state: 'failed', detail: end.detail }
      : { state: 'done', artifact: end.artifact, reused: end.reused, detail: end.detail };
  }

  async cancel(id: string): Promise<void> {
    await this.#recover();
    const run = this.#live.get(id);
    if (run !== undefined) return run.cancel();
    const record = await this.#shop.records.read(id);
    if (record === null || record.end !== null) return;
    await this.#end(record, { state: 'failed', detail: 'it was cancelled', at: Date.now() });
    await this.#shop.records.dropCopies(id);
  }

  async remove(id: string): Promise<void> {
    await this.#recover();
    const run = this.#live.get(id);
    if (run !== undefined) {
      this.#removeWhenOver.add(id);
      return run.cancel();
    }
    this.#unrecorded.delete(id);
    if ((await this.#shop.records.read(id)) === null) return;
    for (const job of jobIds(id))
      if ((await this.#shop.jobs.observe(job)).state !== 'absent') await this.#shop.jobs.remove(job);
    await this.#shop.records.remove(id);
  }

  async inputDigest(root: string, service: ServiceConfig): Promise<string> {
    const { manifest } = await this.#shop.sources.read(root, service, { objects: null });
    return inputDigestOf(service, manifest);
  }

  async artifactOf(inputDigest: string): Promise<string | null> {
    const artifact = await this.#shop.inputs.find({ digest: inputDigest, variant: null });
    return artifact !== null && (await this.#shop.artifacts.has(artifact)) ? artifact : null;
  }

  async sourceFiles(root: string, service: ServiceConfig): Promise<TreeFile[]> {
    const { manifest } = await this.#shop.sources.read(root, service, { objects: null });
    return filesOf(manifest);
  }

  async artifactFiles(artifact: string): Promise<TreeFile[] | null> {
    const manifest = await this.#shop.artifacts.manifest(artifact);
    return manifest === null ? null : filesOf(manifest);
  }

  artifactPath(artifact: string): string {
    return this.#shop.artifacts.path(artifact);
  }

  has(artifact: string): Promise<boolean> {
    return this.#shop.artifacts.has(artifact);
  }

  async collect(keep: Set<string>): Promise<{ artifacts: number; bytes: number }> {
    await this.#recover();
    await this.#boundCache();
    return this.#shop.gate.exclusive(() => {
      const runs = [...this.#live.values()];
      const live = {
        ids: new Set(this.#live.keys()),
        artifacts: new Set(runs.flatMap(({ artifact }) => artifact ?? [])),
      };
      return collectGarbage(this.#shop, keep, live, Date.now());
    });
  }

  async #boundCache(): Promise<void> {
    const now = performance.now();
    if (this.#live.size > 0 || (this.#cacheLookedAt !== null && now - this.#cacheLookedAt < CACHE_LOOK_MS)) return;
    this.#cacheLookedAt = now;
    await boundPackageCache(this.#shop, this.#mostCached, () => this.#live.size > 0);
  }

  sourceInfo(root: string, label: string | null): Promise<SourceInfo> {
    return readSourceInfo(root, label);
  }

  /** Once in a builder's life: takes up the builds that a former one left running or ended. */
  #recover(): Promise<void> {
    this.#recovered ??= (async () => {
      await sweepTemporary(this.#shop);
      for (const record of await this.#shop.records.all()) {
        if (record.end !== null || record.attempt === 0) continue;
        this.#live.set(record.id, this.#follow(new BuildRun(this.#shop, record, null)));
      }
    })().catch((error: unknown) => {
      this.#recovered = null;
      throw error;
    });
    return this.#recovered;
  }

  #follow(run: BuildRun): BuildRun {
    void run.over.then(async (end) => {
      const { record } = run;
      if (end !== null) await this.#end(record, end);
      this.#live.delete(record.id);
      // Nobody waits for this: deleting many files takes its time.
      if (end !== null) await this.#shop.records.dropCopies(record.id).catch(() => undefined);
      if (this.#removeWhenOver.delete(record.id)) await this.remove(record.id).catch(() => undefined);
    });
    return run;
  }

  async #end(record: BuildRecord, end: BuildEnd): Promise<void> {
    try {
      await this.#shop.records.write({ ...record, end });
    } catch (error) {
      // A success that nobody can find again after a crash is none.
      const failed: BuildEnd = { state: 'failed', detail: failureText(error, this.#shop.folder), at: end.at };
      this.#unrecorded.set(record.id, end.state === 'failed' ? end : failed);
    }
  }
}

function newRecord({ id, project, environment, service, log }: BuildRequest): BuildRecord {
  return {
    id,
    project,
    environment,
    log,
    logStart: 0,
    startedAt: Date.now(),
    service: {
      name: service.name,
      build: service.build,
      user: service.user ?? null,
      dir: service.dir,
      static: service.static?.dir ?? null,
      data: dataFolders(service),
    },
    input: null,
    attempt: 0,
    end: null,
  };
}
