import type { AdmittedTable } from '../../domain/traffic/admission.ts';
import type { TableFile } from './table-file.ts';

/** For what happens without a request (who waits, who is connected for long), and for a file that could not be used. */
const LOOK_MS = 100;

/**
 * Takes every table that another process writes, for as long as that is wanted. A process that was replaced answers for
 * a while yet, and must not send anybody to what its successor has taken away: the returned function looks at once, and
 * is called before every request. A table is in its file before anybody is told that it is in force.
 */
export function followTable(
  file: Pick<TableFile, 'version' | 'readNow'>,
  wanted: () => boolean,
  take: (table: AdmittedTable) => void,
): () => void {
  let known: string | null = null;
  let failed: string | null = null;
  const look = (again: boolean): void => {
    if (!wanted()) return;
    const version = file.version();
    if (version === known || version === null || (version === failed && !again)) return;
    const table = file.readNow();
    if (table === null) {
      // It is looked at again in a while: requests must not read a file each that nobody can use.
      failed = version;
      return;
    }
    known = version;
    take(table);
  };
  const timer = setInterval(() => {
    if (wanted()) look(true);
    else clearInterval(timer);
  }, LOOK_MS).unref();
  return () => look(false);
}
