import { realpath, rename, writeFile } from 'node:fs/promises';
import { giveFolder } from '../../platform/process/ownership.ts';
import type { BuildRequest } from '../../ports/builder.ts';
import { readSourceManifest, runBuildJob } from './build-job.ts';
import { appendNotes } from './build-log.ts';
import type { BuildEnd, BuildRecord } from './build-record.ts';
import { tooFull } from './disk-guard.ts';
import { buildFailed, Cancelled, failureText } from './failure.ts';
import type { Input } from './inputs.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';
import { hasFolder, inputDigestOf, refuseIncomplete } from './sources.ts';
import { listBuilt } from './source-list.ts';
import { linkTree } from './tree.ts';
import type { UnderWay, Workshop } from './workshop.ts';

/** Short values would be found in innocent words. */
const SHORTEST_HIDDEN = 6;

type DoneEnd = Extract<BuildEnd, { state: 'done' }>;

const UNCHANGED = 'unchanged, nothing was built';

/** One build under way in this process. */
export class BuildRun {
  readonly record: BuildRecord;
  /** Null: it must be started again with its environment, which a crash has lost. Never rejects. */
  readonly over: Promise<BuildEnd | null>;
  detail = 'reading the source';
  /** Needed although no record names it yet. */
  artifact: string | null = null;
  readonly #shop: Workshop;
  readonly #request: BuildRequest | null;
  readonly #stop = new AbortController();

  /** Without a request: goes on with what a former controller left running. */
  constructor(shop: Workshop, record: BuildRecord, request: BuildRequest | null) {
    this.#shop = shop;
    this.record = record;
    this.#request = request;
    this.over = this.#run();
  }

  cancel(): void {
    this.#stop.abort();
  }

  async #run(): Promise<BuildEnd | null> {
    let end: BuildEnd | null;
    try {
      const copied = this.record.input !== null && (await readSourceManifest(this.#shop, this.record.id)) !== null;
      end =
        copied && this.record.input !== null
          ? await this.#alone(this.record.input, (input) => this.#command(input))
          : await this.#fromSource();
    } catch (error) {
      end = { state: 'failed', detail: failureText(error, this.#shop.folder), at: Date.now() };
    }
    // Before the record is written: on a full disk that makes room for it. A success needs them until it is recorded.
    if (end?.state === 'failed') await this.#shop.records.dropCopies(this.record.id).catch(() => undefined);
    return end;
  }

  async #fromSource(): Promise<BuildEnd | null> {
    const request = this.#request;
    if (request === null) return null;
    const full = await tooFull(this.#shop);
    if (full !== null) throw full;
    if (request.service.build === null) return this.#asItIs(request);
    const { root, service, env } = request;
    const look = await this.#shop.sources.read(root, service, { objects: null, ...this.#watching('looked at') });
    const variant = await this.#shop.inputs.variantOf(service, env);
    return this.#alone({ digest: inputDigestOf(service, look.manifest), variant }, async () =>
      this.#command(await this.#copySource(request, variant)),
    );
  }

  /** The source is the artifact: storing it tells whether it is there already. */
  async #asItIs({ root, service, log }: BuildRequest): Promise<DoneEnd> {
    const { gate, sources, objects, artifacts } = this.#shop;
    return gate.shared(async () => {
      const source = await sources.read(root, service, { objects, ...this.#watching('stored') });
      const artifact = source.manifest.digest;
      const reused = await artifacts.has(artifact);
      await appendNotes(log, source.notes);
      await this.#store(source);
      const end = await this.#finish(
        { digest: inputDigestOf(service, source.manifest), variant: null },
        source,
        'as they are',
      );
      return reused ? { ...end, reused, detail: UNCHANGED } : end;
    });
  }

  /** Lets one build of an input run at a time; whoever comes second takes what the first made. */
  async #alone(input: Input, work: (input: Input) => Promise<BuildEnd | null>): Promise<BuildEnd | null> {
    const { underWay } = this.#shop;
    const key = `${input.digest} ${input.variant}`;
    for (let other = underWay.get(key); other !== undefined; other = underWay.get(key)) {
      this.detail = `waiting for ${other.id}, which builds the same`;
      const how = await Promise.race([other.over, this.#cancelled()]);
      if (how !== null && how !== 'built') throw how.failed;
    }
    const settle = Promise.withResolvers<Awaited<UnderWay['over']>>();
    underWay.set(key, { id: this.record.id, over: settle.promise });
    try {
      const end = (await this.#reuse(input)) ?? (await work(input));
      settle.resolve(end === null ? null : 'built');
      return end;
    } catch (error) {
      settle.resolve(error instanceof Cancelled ? null : { failed: error });
      throw error;
    } finally {
      underWay.delete(key);
    }
  }

  async #reuse(input: Input): Promise<BuildEnd | null> {
    return this.#shop.gate.shared(async () => {
      const artifact = await this.#shop.inputs.find(input);
      if (artifact === null || !(await this.#shop.artifacts.has(artifact))) return null;
      this.artifact = artifact;
      return { state: 'done', artifact, reused: true, detail: UNCHANGED, at: Date.now() };
    });
  }

  /** Answers what was copied, which may be newer than what was looked at. */
  async #copySource({ root, service, log }: BuildRequest, variant: string | null): Promise<Input> {
    const { gate, sources, objects, records } = this.#shop;
    const { id } = this.record;
    return gate.shared(async () => {
      const { manifest, notes } = await sources.read(root, service, { objects, ...this.#watching('copied') });
      await appendNotes(log, notes);
      if (!hasFolder(manifest, service.dir))
        throw buildFailed(
          `The project has no folder ${service.dir}, or git ignores all of it.`,
          'Correct `dir` of the service.',
        );
      // Linked, the objects stay for a second attempt, whatever is collected meanwhile.
      const temporary = objects.temporaryPath();
      await linkTree(manifest, temporary, objects);
      await records.dropCopies(id);
      await rename(temporary, records.source(id));
      await writeFile(records.sourceManifest(id), `${manifest.digest}\n${manifest.text}`, { mode: 0o600 });
      this.record.input = { digest: inputDigestOf(service, manifest), variant };
      // A job of a former copy says nothing about this one.
      if (this.record.attempt > 0) this.record.attempt += 1;
      await records.write(this.record);
      return this.record.input;
    });
  }

  async #command(input: Input): Promise<BuildEnd | null> {
    const { gate, objects, records } = this.#shop;
    const { record } = this;
    const how = await runBuildJob(this.#shop, {
      record,
      env: this.#request?.env ?? null,
      hidden: this.#hidden(),
      signal: this.#stop.signal,
      say: (detail) => (this.detail = detail),
    });
    if (how === 'stranded') return null;
    // What was built by another user becomes evenkeel's own, and with that nobody's to change.
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    if (record.service.user !== null) await giveFolder(records.work(record.id), { uid, gid });
    const built = await gate.shared(async () => {
      const root = await realpath(records.work(record.id));
      const list = await listBuilt(root, record.service.data);
      const tree = await takeSnapshot({
        root,
        list,
        objects,
        takeOver: true,
        cache: null,
        ...this.#watching('stored'),
      });
      await appendNotes(record.log, tree.notes);
      await this.#store(tree);
      return tree;
    });
    return this.#finish(input, built, `built by \`${record.service.build}\``);
  }

  async #store({ manifest }: Snapshot): Promise<void> {
    refuseIncomplete(manifest, this.record.service);
    this.artifact = manifest.digest;
    await this.#shop.artifacts.add(manifest);
  }

  async #finish(input: Input, tree: Snapshot, how: string): Promise<DoneEnd> {
    const artifact = tree.manifest.digest;
    await this.#shop.inputs.record(input, artifact);
    const files = tree.manifest.entries.filter(({ kind }) => kind === 'file').length;
    const left = tree.notes.length === 0 ? '' : `; ${tree.notes.length} left out, see the log`;
    return { state: 'done', artifact, reused: false, detail: `${files} files, ${how}${left}`, at: Date.now() };
  }

  #watching(what: string): { signal: AbortSignal; progress: (files: number) => void } {
    return { signal: this.#stop.signal, progress: (files) => (this.detail = `${files} files ${what}`) };
  }

  #cancelled(): Promise<never> {
    const { signal } = this.#stop;
    return new Promise((_, reject) => {
      if (signal.aborted) reject(new Cancelled());
      signal.addEventListener('abort', () => reject(new Cancelled()), { once: true });
    });
  }

  /** Values of secrets: a command may print them, and its last lines go into messages. */
  #hidden(): string[] {
    if (this.#request === null) return [];
    const { env, service } = this.#request;
    return Object.entries(service.env).flatMap(([name, parts]) => {
      const value = env[name] ?? '';
      const secret = parts.some((part) => typeof part !== 'string' && 'secret' in part);
      return secret && value.length >= SHORTEST_HIDDEN ? [value] : [];
    });
  }
}
