import { stat } from 'node:fs/promises';
import type { AdmittedService } from '../../domain/traffic/admission.ts';
import type { TableFile } from './table-file.ts';

/** How old what this process knows may become, ms: far less than a release that lost its traffic still runs. */
const LOOK_MS = 100;

/**
 * Takes every table that another process writes, for as long as that is wanted. An edge that was replaced answers for a
 * while yet, and must not send anybody to what its successor has taken away.
 */
export function followTable(
  file: TableFile,
  wanted: () => boolean,
  take: (table: ReadonlyMap<string, AdmittedService>) => void,
): void {
  let known: string | null = null;
  const look = async (): Promise<void> => {
    const { ino, mtimeMs } = await stat(file.path);
    const now = `${ino}/${mtimeMs}`;
    if (now === known) return;
    const table = await file.read();
    known = now;
    if (wanted()) take(table);
  };
  const again = (): void => {
    setTimeout(() => {
      // A file that is not there in this moment is looked for again.
      if (wanted()) void look().then(again, again);
    }, LOOK_MS).unref();
  };
  again();
}
