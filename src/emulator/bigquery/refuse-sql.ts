import type { GoogleError } from '../core/google-error.ts';
import { invalid } from '../core/google-error.ts';

/** BigQuery would rather understand it: that it is the emulator which does not is said. */
export const refuseSql = (what: string): GoogleError =>
  invalid(
    `The emulator does not understand this SQL: ${what}. It knows SELECT, FROM a table, a SELECT or UNNEST, WHERE with AND, GROUP BY, SUM, MAX, CAST to NUMERIC and STRING, IF, IFNULL and UNIX_MILLIS.`,
    [],
    { reason: 'invalidQuery' },
  );

/** What BigQuery itself refuses. */
export const wrongSql = (message: string): GoogleError => invalid(message, [], { reason: 'invalidQuery' });
