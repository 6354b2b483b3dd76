import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { readJson } from '../../platform/read-json.ts';
import { isObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';

/**
 * What the pretended cloud holds: tables of JSON objects by name. In memory; with a folder, also in a file there that is
 * replaced as one step, so that a later emulator finds all or nothing of what one call did.
 */
export class State {
  private readonly tables = new Map<string, Map<string, JsonObject>>();
  private readonly file: string | null;
  private changed = false;
  private writing: Promise<void> = Promise.resolve();
  private serial = 0;

  private constructor(file: string | null) {
    this.file = file;
  }

  static async open(folder: string | null): Promise<State> {
    if (folder === null) return new State(null);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const state = new State(join(folder, 'state.json'));
    const kept = await readJson(join(folder, 'state.json'));
    if (isObject(kept)) state.load(kept);
    return state;
  }

  /** The table of this name, such as `secretmanager.secrets`. Objects go in and come out as copies. */
  table(name: string): Table {
    const rows = this.tables.get(name) ?? new Map<string, JsonObject>();
    this.tables.set(name, rows);
    return new Table(rows, () => {
      this.changed = true;
    });
  }

  /** A number that was not given out before. */
  next(): number {
    this.changed = true;
    this.serial += 1;
    return this.serial;
  }

  /** Resolves when what was changed before the call is in the file. */
  async flush(): Promise<void> {
    if (!this.changed || this.file === null) return this.writing;
    const file = this.file;
    this.changed = false;
    const content = JSON.stringify(this.snapshot());
    // It is a plaything's state: nobody needs it after a power cut.
    this.writing = this.writing.catch(() => undefined).then(() => writeFileAtomic(file, content, { durable: false }));
    return this.writing;
  }

  /** Everything, as one object. */
  snapshot(): JsonObject {
    const tables: Record<string, Json> = {};
    for (const [name, rows] of this.tables) if (rows.size > 0) tables[name] = Object.fromEntries(rows);
    return { serial: this.serial, tables };
  }

  private load(kept: JsonObject): void {
    this.serial = Number(kept['serial'] ?? 0);
    for (const [name, rows] of Object.entries(isObject(kept['tables']) ? kept['tables'] : {})) {
      if (!isObject(rows)) continue;
      this.tables.set(
        name,
        new Map(Object.entries(rows).filter((row): row is [string, JsonObject] => isObject(row[1]))),
      );
    }
  }
}

/** Rows by key; keys are resource names, so that those below a parent share a prefix. */
export class Table {
  private readonly rows: Map<string, JsonObject>;
  private readonly touch: () => void;

  constructor(rows: Map<string, JsonObject>, touch: () => void) {
    this.rows = rows;
    this.touch = touch;
  }

  get(key: string): JsonObject | undefined {
    const row = this.rows.get(key);
    return row === undefined ? undefined : structuredClone(row);
  }

  has(key: string): boolean {
    return this.rows.has(key);
  }

  set(key: string, row: JsonObject): JsonObject {
    this.rows.set(key, structuredClone(row));
    this.touch();
    return row;
  }

  delete(key: string): boolean {
    const had = this.rows.delete(key);
    if (had) this.touch();
    return had;
  }

  size(): number {
    return this.rows.size;
  }

  /** Deletes all below a prefix. */
  deleteBelow(prefix: string): void {
    for (const key of [...this.rows.keys()]) if (key.startsWith(prefix)) this.delete(key);
  }

  keys(prefix = ''): string[] {
    return [...this.rows.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  /** Rows whose key starts with the prefix, by key. */
  list(prefix = ''): JsonObject[] {
    return this.keys(prefix)
      .map((key) => this.get(key))
      .filter((row) => row !== undefined);
  }
}
