import { randomUUID } from 'node:crypto';
import { putObject } from '../../apis/storage-objects.ts';
import type { World } from '../../core/world.ts';
import type { Build } from './record.ts';

/** How long lines are gathered before the log's object is written anew, ms. */
const GATHER = 250;

/** The log of one build: an object `log-<id>.txt` that grows, and entries of Cloud Logging. */
export class BuildLog {
  readonly #world: World;
  readonly #build: Build;
  #text = '';
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(world: World, build: Build) {
    this.#world = world;
    this.#build = build;
  }

  /** `step`: such as `Step #0`; null for what Cloud Build says itself. */
  line(text: string, step: string | null = null): void {
    const shown = step === null ? text : `${step}: ${text}`;
    this.#text += `${shown}\n`;
    const { logging } = this.#build.options ?? {};
    if (logging !== 'GCS_ONLY' && logging !== 'NONE') this.#entry(shown, step);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, GATHER);
  }

  /** Resolves when all is written. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#write();
    await this.#writing;
  }

  #write(): void {
    const { logsBucket, id } = this.#build;
    if (logsBucket === undefined) return;
    const [bucket = '', ...folders] = logsBucket.replace(/^gs:\/\//, '').split('/');
    const name = [...folders.filter((each) => each !== ''), `log-${id}.txt`].join('/');
    const bytes = Buffer.from(this.#text);
    const write = async () => {
      const given = { contentType: 'text/plain' };
      await putObject(this.#world, bucket, { name, bytes, given, origin: 'https://storage.googleapis.com' });
    };
    // A bucket that was deleted meanwhile takes no log; the build goes on.
    this.#writing = this.#writing.then(write).catch(() => {});
  }

  #entry(text: string, step: string | null): void {
    const at = this.#world.signals.moment(this.#world.now());
    const { id, projectId } = this.#build;
    this.#world.signals.log({
      logName: `projects/${projectId}/logs/cloudbuild`,
      resource: { type: 'build', labels: { build_id: id, project_id: projectId, build_trigger_id: '' } },
      insertId: randomUUID().replaceAll('-', '').slice(0, 20),
      timestamp: at,
      receiveTimestamp: at,
      textPayload: text,
      labels: { build_step: step ?? 'MAIN' },
    });
  }
}
