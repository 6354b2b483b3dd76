import { statSync } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AdmittedService, AdmittedTable } from '../../domain/traffic/admission.ts';
import { tableOf } from '../../domain/traffic/admission.ts';
import { edgeServiceSchema } from '../../domain/traffic/protocol.ts';
import { readChecked, readCheckedNow, writeChecked } from '../../platform/atomic-file.ts';
import type { EdgeLog } from '../log.ts';

const tableSchema = z.object({
  format: z.literal(1),
  services: z.array(z.object({ key: z.string(), fence: z.number().int(), config: edgeServiceSchema.nullable() })),
});

/** Freed when the disk is full, so that an abort can be written even then. */
const RESERVE_BYTES = 1024 * 1024;
/** Fences of services that are gone; the oldest are forgotten beyond this. */
const FENCES_KEPT = 1_000;

/** The table on disk: the newest, and the one before it should the newest turn out torn. */
export class TableFile {
  readonly path: string;
  readonly #reserve: string;
  readonly #log: EdgeLog;

  constructor(folder: string, log: EdgeLog) {
    this.path = join(folder, 'table');
    this.#reserve = join(folder, 'reserve');
    this.#log = log;
  }

  /** Never rejects: the former copy stands in for a torn file, an empty table for both; either is told loudly. */
  async read(): Promise<Map<string, AdmittedService>> {
    try {
      const { from, value, problem } = await readChecked(this.path);
      if (problem !== null) this.#log('error', 'the routing table on disk is damaged', { problem, used: from });
      if (from === 'none') return new Map();
      return tableOf(tableSchema.parse(value).services);
    } catch (error) {
      this.#log('error', 'the routing table on disk cannot be used; beginning with none', { error: String(error) });
      return new Map();
    }
  }

  /** Another one after each write; null when there is no file, or none that can be looked at. */
  version(): string | null {
    try {
      const info = statSync(this.path, { throwIfNoEntry: false });
      return info === undefined ? null : `${info.ino}/${info.mtimeMs}`;
    } catch {
      return null;
    }
  }

  /** The newest table, at once; null when it cannot be read. */
  readNow(): Map<string, AdmittedService> | null {
    const parsed = tableSchema.safeParse(readCheckedNow(this.path));
    return parsed.success ? tableOf(parsed.data.services) : null;
  }

  /** Durable when it resolves. Rejects when it could not be written. */
  async write(table: AdmittedTable): Promise<void> {
    const gone = new Set([...table.values()].filter(({ config }) => config === null).slice(0, -FENCES_KEPT));
    const value = { format: 1, services: [...table.values()].filter((service) => !gone.has(service)) };
    try {
      await writeChecked(this.path, value);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      await rm(this.#reserve, { force: true });
      this.#log('error', 'the disk is full; the reserve was freed to write the routing table', {});
      await writeChecked(this.path, value);
    }
  }

  /** Sets aside room for one more table. */
  async reserve(): Promise<void> {
    try {
      const size = await stat(this.#reserve).then(
        (info) => info.size,
        () => 0,
      );
      if (size < RESERVE_BYTES) await writeFile(this.#reserve, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 });
    } catch (error) {
      this.#log('warn', 'no room could be set aside for the routing table', { error: String(error) });
    }
  }
}
