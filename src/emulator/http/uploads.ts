import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GoogleError, invalid, notFound } from '../core/google-error.ts';
import { Raw } from '../core/api.ts';
import { isObject } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { jsonOf, relatedOf } from './body.ts';

export interface Uploaded {
  metadata: JsonObject;
  media: { bytes: Buffer; contentType: string };
}

interface Session extends Uploaded {
  path: string;
  query: URLSearchParams;
}

const OCTETS = 'application/octet-stream';

/** Media uploads in Google's three protocols. What is under way is in memory: a client starts again after a restart. */
export class Uploads {
  private readonly sessions = new Map<string, Session>();

  /** The whole upload, or what to answer while it is not whole. */
  receive(request: UploadRequest): Uploaded | Raw {
    const { query, bytes, headers } = request;
    const contentType = headers['content-type'] ?? OCTETS;
    switch (query.get('uploadType') ?? query.get('upload_protocol')) {
      case 'media':
      case 'raw':
        return { metadata: {}, media: { bytes, contentType } };
      case 'multipart': {
        return relatedOf(bytes, contentType);
      }
      case 'resumable':
        return this.begin(request);
      case null:
      default:
        throw invalid('uploadType is media, multipart or resumable.');
    }
  }

  /** One more piece of a resumable upload; ends the session when it was the last. */
  resume(id: string, headers: IncomingHttpHeaders, bytes: Buffer): { session: Session; end: Uploaded | Raw } {
    const session = this.sessions.get(id);
    if (session === undefined) throw notFound('No such upload.', { http: 410 });
    const [, first, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    const have = session.media.bytes.length;
    const from = first === undefined ? have : Number(first);
    if (from > have) throw new GoogleError('INVALID_ARGUMENT', 'A piece of the upload is missing.', { http: 503 });
    session.media.bytes = Buffer.concat([session.media.bytes.subarray(0, from), bytes]);
    const whole = headers['content-range'] === undefined || Number(total) === session.media.bytes.length;
    if (!whole) return { session, end: incomplete(session.media.bytes.length) };
    this.sessions.delete(id);
    return { session, end: session };
  }

  has(id: string): boolean {
    return this.sessions.has(id);
  }

  private begin({ origin, path, query, headers, bytes }: UploadRequest): Raw {
    const id = randomUUID();
    const metadata = jsonOf(bytes);
    const contentType = headers['x-upload-content-type'];
    const media = { bytes: Buffer.alloc(0), contentType: typeof contentType === 'string' ? contentType : OCTETS };
    this.sessions.set(id, { path, query, metadata: isObject(metadata) ? metadata : {}, media });
    const next = new URLSearchParams(query);
    next.set('upload_id', id);
    return new Raw(200, { location: `${origin}${path}?${next.toString()}`, 'x-guploader-uploadid': id });
  }
}

export interface UploadRequest {
  origin: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

const incomplete = (have: number): Raw => new Raw(308, have === 0 ? {} : { range: `bytes=0-${String(have - 1)}` });
