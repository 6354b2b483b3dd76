import type { AdmittedService } from '../../domain/traffic/admission.ts';
import type { TableFile } from './table-file.ts';

/** For what happens without a request: who waits, and who is connected for long. */
const LOOK_MS = 100;

/**
 * Takes every table that another process writes, for as long as that is wanted. A process that was replaced answers for
 * a while yet, and must not send anybody to what its successor has taken away: the returned function looks at once, and
 * is called before every request. A table is in its file before anybody is told that it is in force.
 */
export function followTable(
  file: TableFile,
  wanted: () => boolean,
  take: (table: ReadonlyMap<string, AdmittedService>) => void,
): () => void {
  let known: string | null = null;
  const look = (): void => {
    if (!wanted()) return;
    const version = file.version();
    if (version === known || version === null) return;
    const table = file.readNow();
    // A file that cannot be read in this moment is looked at again.
    if (table === null) return;
    known = version;
    take(table);
  };
  const timer = setInterval(() => {
    if (wanted()) look();
    else clearInterval(timer);
  }, LOOK_MS).unref();
  return look;
}
