import type { IncomingHttpHeaders } from 'node:http';

export interface Version {
  /** Strong, with quotes. */
  readonly etag: string;
  /** Whole seconds since 1970. */
  readonly modified: number;
}

const seconds = (date: string | undefined): number | null => {
  const time = Date.parse(date ?? '');
  return Number.isNaN(time) ? null : Math.floor(time / 1000);
};

const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');

const listed = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => opaque(tag) === etag);

/** RFC 9110, 13.2.2: 412, 304, or null to go on. */
export function precondition(headers: IncomingHttpHeaders, { etag, modified }: Version): 304 | 412 | null {
  const match = headers['if-match'];
  const unmodified = seconds(headers['if-unmodified-since']);
  if (match !== undefined) {
    if (!listed(match, etag)) return 412;
  } else if (unmodified !== null && modified > unmodified) return 412;
  const noneMatch = headers['if-none-match'];
  const since = seconds(headers['if-modified-since']);
  if (noneMatch !== undefined) return listed(noneMatch, etag) ? 304 : null;
  return since !== null && modified <= since ? 304 : null;
}

/** Whether a `Range` holds for this version: without `If-Range`, or when that names it (strongly). */
export function rangeHolds(headers: IncomingHttpHeaders, { etag, modified }: Version): boolean {
  const ifRange = headers['if-range'];
  if (ifRange === undefined || Array.isArray(ifRange)) return ifRange === undefined;
  if (ifRange.startsWith('"')) return ifRange === etag;
  return seconds(ifRange) === modified;
}
