import { DatabaseSync } from 'node:sqlite';
import { closeSync, openSync } from 'node:fs';
import type { EdgeSample, InstanceSample, Resolution } from '../../ports/store.ts';
import { BUSY_TIMEOUT_MS } from '../sqlite/busy.ts';
import { edgeTable } from './edge-table.ts';
import { instanceTable } from './instance-table.ts';

export interface Samples {
  edge: EdgeSample[];
  instances: InstanceSample[];
}

export const RESOLUTIONS: readonly Resolution[] = ['10s', '1m'];

/** A file with other tables is begun anew: a chart is not worth a migration. */
const LAYOUT = 1;

export interface TelemetryFile {
  /** One transaction. Minutes are added up here, as samples come in, so that the present one can be read as well. */
  write(samples: Samples): void;
  edge(query: { key: string; release?: string; from: number; to: number; resolution: Resolution }): EdgeSample[];
  instances(query: { key: string; from: number; to: number; resolution: Resolution }): InstanceSample[];
  /** Deletes up to `limit` rows that are older than `before`; answers how many. */
  expire(resolution: Resolution, before: number, limit: number): number;
  close(): void;
}

/** @throws errors of SQLite; `LayoutError` when the file was made by another version. */
export function openTelemetryFile(file: string): TelemetryFile {
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Not durable, since a lost minute of a chart hurts nobody, but whole after a power cut.
    database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma temp_store = memory');
    database.exec('pragma cache_size = -1024');
    checkLayout(database);
    return overTables(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

export class LayoutError extends Error {
  override name = 'LayoutError';
}

function checkLayout(database: DatabaseSync): void {
  const version = database.prepare('pragma user_version').get()?.['user_version'];
  if (version !== 0 && version !== LAYOUT) throw new LayoutError(`layout ${String(version)}, expected ${LAYOUT}`);
  database.exec(`pragma user_version = ${LAYOUT}`);
}

function overTables(database: DatabaseSync): TelemetryFile {
  const edge = { '10s': edgeTable(database, '10s'), '1m': edgeTable(database, '1m') };
  const instances = { '10s': instanceTable(database, '10s'), '1m': instanceTable(database, '1m') };
  return {
    write(samples) {
      database.exec('begin immediate');
      try {
        for (const resolution of RESOLUTIONS) {
          edge[resolution].add(samples.edge);
          instances[resolution].add(samples.instances);
        }
        database.exec('commit');
      } catch (error) {
        if (database.isTransaction) database.exec('rollback');
        throw error;
      }
    },
    edge: ({ resolution, ...query }) => edge[resolution].read(query),
    instances: ({ resolution, ...query }) => instances[resolution].read(query),
    expire(resolution, before, limit) {
      const gone = edge[resolution].expire(before, limit);
      return gone + instances[resolution].expire(before, limit);
    },
    close: () => database.close(),
  };
}
