import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { GoogleError, invalid } from '../core/google-error.ts';
import { isObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';

/** The most that is taken in one request, bytes: it is held in memory. */
const MOST = 512 * 1024 * 1024;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST) throw new GoogleError('INVALID_ARGUMENT', 'The request is too large.', { http: 413 });
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  return request.headers['content-encoding'] === 'gzip' && body.length > 0 ? gunzipSync(body) : body;
}

/** The JSON of a body; an empty one is an empty object. */
export function jsonOf(bytes: Buffer): Json {
  const text = bytes.toString('utf8');
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw invalid(`Invalid JSON payload received. ${error instanceof Error ? error.message : ''}`);
  }
}

export interface Related {
  metadata: JsonObject;
  media: { bytes: Buffer; contentType: string };
}

/** A `multipart/related` body: metadata, then media. */
export function relatedOf(bytes: Buffer, contentType: string): Related {
  const boundary = /boundary=(?:"([^"]+)"|'([^']+)'|([^;]+))/i
    .exec(contentType)
    ?.slice(1)
    .find((found) => found !== undefined);
  if (boundary === undefined) throw invalid('Missing boundary of a multipart body.');
  const [first, second] = partsOf(bytes, `--${boundary.trim()}`).map(splitPart);
  if (first === undefined || second === undefined) throw invalid('Missing end boundary in multipart body.');
  const metadata = jsonOf(first.bytes);
  if (!isObject(metadata)) throw invalid('The first part of a multipart body is its metadata.');
  return { metadata, media: { bytes: second.bytes, contentType: second.contentType } };
}

function partsOf(bytes: Buffer, delimiter: string): Buffer[] {
  const parts: Buffer[] = [];
  let from = bytes.indexOf(delimiter);
  while (from !== -1) {
    const start = from + delimiter.length;
    const to = bytes.indexOf(delimiter, start);
    if (to === -1) break;
    parts.push(bytes.subarray(start, to));
    from = to;
  }
  return parts;
}

/** Of `\r\nheaders\r\n\r\nbytes\r\n`; lone line feeds are legal enough to be sent by some. */
function splitPart(part: Buffer): { bytes: Buffer; contentType: string } {
  const text = part.toString('latin1');
  const [, ends = '', head = '', gap = ''] = /^(\r?\n)([\s\S]*?)(\r?\n\r?\n)/.exec(text) ?? [];
  const start = ends.length + head.length + gap.length;
  const tail = text.endsWith('\r\n') ? 2 : text.endsWith('\n') ? 1 : 0;
  const contentType = /^content-type:\s*(.+?)\s*$/im.exec(head)?.[1] ?? 'application/octet-stream';
  return { bytes: part.subarray(start, part.length - tail), contentType };
}
