import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive, processIdentity, type ProcessIdentity } from '../../platform/process/identity.ts';
import { sendSignal } from '../../platform/process/table.ts';

/**
 * The processes that an emulator has running, in a file: if it is killed, the next one with the same folder ends them.
 * A pid alone is not enough for that, it may be somebody else's by then.
 */
export class RememberedProcesses {
  readonly #file: string | null;
  readonly #running = new Map<number, ProcessIdentity>();

  /** Null: nothing is remembered. */
  constructor(file: string | null) {
    this.#file = file;
  }

  /** Ends what a former emulator left; says how many there were. */
  endLeftOvers(): number {
    const left = this.#read().filter(isAlive);
    for (const { pid } of left) sendSignal(-pid, 'SIGKILL');
    this.#write();
    return left.length;
  }

  add(pid: number): void {
    const identity = processIdentity(pid);
    if (identity === null) return;
    this.#running.set(pid, identity);
    this.#write();
  }

  remove(pid: number): void {
    if (this.#running.delete(pid)) this.#write();
  }

  /** At once and not later: between a start and the note of it lies what could leak. */
  #write(): void {
    if (this.#file === null) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.tmp`, JSON.stringify([...this.#running.values()]), { mode: 0o600 });
    renameSync(`${this.#file}.tmp`, this.#file);
  }

  #read(): ProcessIdentity[] {
    if (this.#file === null) return [];
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as ProcessIdentity[];
    } catch {
      return []; // there was none, or it never got that far
    }
  }
}
