import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CloudRunConfig } from '../../domain/cloud/run/config.ts';
import { readJson } from '../../platform/read-json.ts';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import type { BuildObservation, BuildRequest } from '../../ports/builder.ts';
import type { ImageBuilder, ImageRequest } from '../../ports/cloud-build.ts';
import { EvenkeelError } from '../../ports/errors.ts';

export interface ImageBuildsOptions {
  /** Builds in the cloud that a service is in. */
  builderFor: (config: CloudRunConfig, scope: { project: string; environment: string }) => Promise<ImageBuilder>;
  /** Absolute; which input became which image, so that what is unchanged is not built again. */
  file: string;
  /** Whether an image is still in its repository; true where nobody can tell. */
  isThere: (image: string, config: CloudRunConfig, signal: AbortSignal) => Promise<boolean>;
  /** What to build, after a look at the Dockerfile; throws what keeps it from being built. `warnings`: what does not. */
  prepare: (request: BuildRequest, config: CloudRunConfig) => Promise<{ request: ImageRequest; warnings: string[] }>;
}

/** How many inputs are remembered. */
const MOST_KNOWN = 500;

interface Known {
  /** Image by build, then by input. */
  builds: Record<string, string>;
  inputs: Record<string, string>;
}

/** Builds of images, each followed by this process; one that was begun by another is found and joined by its sources. */
export class ImageBuilds {
  readonly #options: ImageBuildsOptions;
  readonly #live = new Map<string, { state: BuildObservation; over: AbortController }>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ImageBuildsOptions) {
    this.#options = options;
  }

  async start(request: BuildRequest, config: CloudRunConfig, input: string): Promise<void> {
    if (this.#live.has(request.id)) return;
    const known = await this.#known();
    const done = known.builds[request.id];
    const over = new AbortController();
    if (done !== undefined) {
      this.#live.set(request.id, { state: { state: 'done', artifact: done, reused: true, detail: 'unchanged' }, over });
      return;
    }
    this.#live.set(request.id, { state: { state: 'running', detail: 'beginning' }, over });
    void this.#follow(request, config, { input, over, before: known.inputs[input] ?? null });
  }

  observe(id: string): BuildObservation | null {
    return this.#live.get(id)?.state ?? null;
  }

  cancel(id: string): void {
    const live = this.#live.get(id);
    if (live?.state.state !== 'running') return;
    live.state = { state: 'failed', detail: 'it was cancelled' };
    live.over.abort();
  }

  remove(id: string): void {
    this.cancel(id);
    this.#live.delete(id);
  }

  async imageOf(input: string): Promise<string | null> {
    return (await this.#known()).inputs[input] ?? null;
  }

  async #follow(
    request: BuildRequest,
    config: CloudRunConfig,
    { input, over, before }: { input: string; over: AbortController; before: string | null },
  ): Promise<void> {
    const { id, log } = request;
    const tell = (state: BuildObservation): void => {
      const live = this.#live.get(id);
      if (live !== undefined && live.state.state === 'running') live.state = state;
    };
    const lines = linesTo(log);
    try {
      const to = { tell, write: lines.write, signal: over.signal };
      // A clean-up, or a rule of the repository, may have deleted what was built of these sources.
      if (before !== null && (await this.#options.isThere(before, config, over.signal))) {
        await this.#remember(id, input, before);
        tell({ state: 'done', artifact: before, reused: true, detail: 'unchanged' });
        return;
      }
      const asIs = config.image === null ? null : { artifact: config.image, reused: true };
      const { artifact, reused } = asIs ?? (await this.#build(request, config, to));
      await this.#remember(id, input, artifact);
      await lines.written();
      tell({ state: 'done', artifact, reused, detail: artifact });
    } catch (error) {
      const why = error instanceof EvenkeelError ? error.why : null;
      const message = error instanceof Error ? error.message : String(error);
      const said = why === null ? message : `${message}; ${why}`;
      // Where the build wrote a log, its end is what the reason says.
      lines.write(lines.any() ? message : said);
      await lines.written();
      tell({ state: 'failed', detail: said });
    }
  }

  async #build(
    asked: BuildRequest,
    config: CloudRunConfig,
    to: { tell: (state: BuildObservation) => void; write: (text: string) => void; signal: AbortSignal },
  ): Promise<{ artifact: string; reused: boolean }> {
    const { project, environment } = asked;
    const { request, warnings } = await this.#options.prepare(asked, config);
    for (const warning of warnings) to.write(`warning: ${warning}`);
    const builder = await this.#options.builderFor(config, { project, environment });
    const events = { line: to.write, step: (doing: string) => to.tell({ state: 'running', detail: doing }) };
    const built = await builder.build({ ...request, reuse: true, unwanted: to.signal }, events, to.signal);
    const artifact = built.digest === null ? built.image : `${config.repository}@${built.digest}`;
    return { artifact, reused: built.reused === true };
  }

  async #known(): Promise<Known> {
    await this.#writing;
    return this.#read();
  }

  async #read(): Promise<Known> {
    const read = (await readJson(this.#options.file).catch(() => null)) as Partial<Known> | null;
    return { builds: read?.builds ?? {}, inputs: read?.inputs ?? {} };
  }

  /** Builds end at the same moment: each reads what the one before has written. */
  async #remember(id: string, input: string, image: string): Promise<void> {
    const newest = (all: Record<string, string>): Record<string, string> =>
      Object.fromEntries(Object.entries(all).slice(-MOST_KNOWN));
    const write = async (): Promise<void> => {
      const known = await this.#read();
      const next = {
        builds: newest({ ...known.builds, [id]: image }),
        inputs: newest({ ...known.inputs, [input]: image }),
      };
      await mkdir(dirname(this.#options.file), { recursive: true });
      await writeFileAtomic(this.#options.file, JSON.stringify(next));
    };
    this.#writing = this.#writing.then(write, write);
    await this.#writing;
  }
}

/** Writes lines in their order, each once the one before it is there; a log that cannot be written fails no build. */
function linesTo(log: string): { write(text: string): void; any(): boolean; written(): Promise<void> } {
  let count = 0;
  let writing: Promise<void> = mkdir(dirname(log), { recursive: true, mode: 0o700 }).then(
    () => undefined,
    () => undefined,
  );
  return {
    write(text) {
      count += 1;
      const line = `${text}\n`;
      writing = writing.then(() => appendFile(log, line, { mode: 0o600 })).catch(() => undefined);
    },
    any: () => count > 0,
    written: () => writing,
  };
}
