import { textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { Call } from './api.ts';
import { page } from './pages.ts';

/** One page of rows that have a `name`, as `pageSize` (or `maxResults`) and `pageToken` of the call ask. */
export function paged(
  call: Call,
  rows: readonly JsonObject[],
  { usual = 100, most = 1000 }: { usual?: number; most?: number } = {},
): { entries: JsonObject[]; nextPageToken: string | undefined } {
  const query = { size: call.query('pageSize') ?? call.query('maxResults'), token: call.query('pageToken') };
  return page(rows, (row) => textAt(row, 'name') ?? '', query, { usual, most });
}
