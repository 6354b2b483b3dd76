import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ClientReply, ClientRequest } from '../proxy/client.ts';
import { precondition, rangeHolds } from './conditions.ts';
import type { Located } from './locate.ts';
import { isContentNamed, mediaType } from './media-types.ts';
import type { ByteRange } from './ranges.ts';
import { parseRanges } from './ranges.ts';

export interface FileToSend {
  /** Name as it was asked for: gives the content type. */
  readonly name: string;
  readonly file: Located;
  readonly encoding: string | null;
  /** Other clients would get another encoding. */
  readonly varies: boolean;
  readonly headers: readonly string[];
  /** `bytes`: of the body that follows. */
  started(status: number, bytes: number): void;
}

/** Read at once; larger files are streamed. */
const SMALL_BYTES = 64 * 1024;

/** Sends a file as the request's conditions and ranges ask. Rejects when reading fails. */
export async function sendFile(req: ClientRequest, res: ClientReply, to: FileToSend): Promise<void> {
  const { file, encoding } = to;
  const common = commonHeaders(to);
  const condition = precondition(req.headers, file);
  if (condition !== null) {
    to.started(condition, 0);
    res.writeHead(condition, condition === 304 ? common : [...common, 'Content-Length', '0']);
    res.end();
    return;
  }
  const type = mediaType(to.name);
  // Ranges are of what GET gives; HEAD tells of the whole.
  const mayBePart = req.method === 'GET' && encoding === null && rangeHolds(req.headers, file);
  const ranges = mayBePart ? parseRanges(req.headers.range, file.size) : null;
  if (ranges === 'unsatisfiable') {
    to.started(416, 0);
    res.writeHead(416, [...common, 'Content-Range', `bytes */${file.size}`, 'Content-Length', '0']);
    res.end();
    return;
  }
  const only = ranges?.length === 1 ? ranges[0] : undefined;
  if (ranges !== null && only === undefined) {
    await sendParts(req, res, to, common, type, ranges);
    return;
  }
  const range = only ?? { from: 0, to: file.size - 1 };
  const length = range.to - range.from + 1;
  const partly = only === undefined ? [] : ['Content-Range', contentRange(only, file.size)];
  const status = only === undefined ? 200 : 206;
  to.started(status, req.method === 'HEAD' ? 0 : length);
  res.writeHead(status, [...common, ...partly, 'Content-Type', type, 'Content-Length', String(length)]);
  if (req.method === 'HEAD' || length === 0) res.end();
  else if (file.size <= SMALL_BYTES) res.end((await readFile(file.path)).subarray(range.from, range.to + 1));
  else await pipeline(createReadStream(file.path, { start: range.from, end: range.to }), res);
}

async function sendParts(
  req: ClientRequest,
  res: ClientReply,
  to: FileToSend,
  common: readonly string[],
  type: string,
  ranges: readonly ByteRange[],
): Promise<void> {
  const { file } = to;
  const boundary = randomBytes(12).toString('hex');
  const parts = ranges.map((range) => ({
    range,
    head: `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(range, file.size)}\r\n\r\n`,
  }));
  const end = `\r\n--${boundary}--\r\n`;
  const length = parts.reduce((sum, { range, head }) => sum + head.length + range.to - range.from + 1, end.length);
  to.started(206, req.method === 'HEAD' ? 0 : length);
  res.writeHead(206, [
    ...common,
    'Content-Type',
    `multipart/byteranges; boundary=${boundary}`,
    'Content-Length',
    String(length),
  ]);
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  for (const { range, head } of parts) {
    res.write(head);
    await pipeline(createReadStream(file.path, { start: range.from, end: range.to }), res, { end: false });
  }
  res.end(end);
}

const contentRange = ({ from, to }: ByteRange, size: number): string => `bytes ${from}-${to}/${size}`;

function commonHeaders({ name, file, encoding, varies, headers }: FileToSend): string[] {
  // Encoded forms are other representations: they must not share a strong validator.
  return [
    ...headers,
    'ETag',
    file.etag,
    'Last-Modified',
    new Date(file.modified * 1000).toUTCString(),
    'Accept-Ranges',
    'bytes',
    'Cache-Control',
    cacheControl(name, headers),
    'X-Content-Type-Options',
    'nosniff',
    ...(encoding === null ? [] : ['Content-Encoding', encoding]),
    ...(varies ? ['Vary', 'Accept-Encoding'] : []),
  ];
}

function cacheControl(name: string, headers: readonly string[]): string {
  // What gives somebody a session is for nobody else.
  if (headers.includes('Set-Cookie')) return 'private, no-cache';
  return isContentNamed(name) ? 'public, max-age=31536000, immutable' : 'no-cache';
}
