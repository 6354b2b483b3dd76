import { join } from 'node:path';
import type { EdgeLog } from '../log.ts';
import { LineWriter } from './line-writer.ts';

/** The files of access logs, one for each environment. */
export class AccessLogs {
  readonly #folder: string;
  readonly #log: EdgeLog;
  readonly #writers = new Map<string, LineWriter>();

  /** `folder`: of all logs of this machine. */
  constructor(folder: string, log: EdgeLog) {
    this.#folder = join(folder, 'access');
    this.#log = log;
  }

  of({ project, environment }: { project: string; environment: string }): LineWriter {
    const file = join(this.#folder, safe(project), `${safe(environment)}.log`);
    const known = this.#writers.get(file);
    if (known !== undefined) return known;
    const made = new LineWriter(file, this.#log);
    this.#writers.set(file, made);
    return made;
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.flush()));
  }
}

/** Names are checked where they come in; nothing in a table must lead out of the folder all the same. */
const safe = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]/g, '_');
