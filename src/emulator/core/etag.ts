import { createHash } from 'node:crypto';
import type { Json } from '../json.ts';

/** An etag of a value: canonical base64, as clients that decode and encode it again need it. */
export const etagOf = (value: Json): string =>
  createHash('sha256').update(JSON.stringify(value)).digest().subarray(0, 9).toString('base64');
