import { array, assert, boolean, constantFrom, integer, oneof, property, record, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRequestFields } from '../../src/edge/http2/request-fields.ts';
import { ResetLimit } from '../../src/edge/http2/reset-limit.ts';
import { requestHead } from '../../src/edge/proxy/request-head.ts';
import { StrictReader } from '../support/corpus/strict-reader.ts';

/** Bytes as latin1, those that end lines, fields and requests more often than others. */
const text = (max: number) =>
  array(
    oneof(
      constantFrom(...'\r\n\0\t :;,/#@\\"azAZ09_-'.split('')),
      integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
    ),
    {
      maxLength: max,
    },
  ).map((all) => all.join(''));
const either = (likely: readonly string[], max: number) =>
  oneof({ weight: 4, arbitrary: constantFrom(...likely) }, { weight: 1, arbitrary: text(max) });

const name = either(
  [
    'x',
    'cookie',
    'host',
    'te',
    'content-length',
    'transfer-encoding',
    'connection',
    'upgrade',
    'expect',
    'x_real_ip',
    'X',
    ':path',
    ':x',
  ],
  6,
);
const value = either(['y', '0', '5', 'a.example', 'trailers', 'chunked', ''], 12);
const request = record({
  method: either(['GET', 'POST', 'OPTIONS', 'CONNECT', 'get'], 6),
  scheme: either(['https', 'http'], 4),
  authority: either(['a.example', 'a.example:80', '[::1]'], 8),
  path: either(['/', '/a?b', '*', '/a#b'], 10),
  fields: array(tuple(name, value), { maxLength: 5 }),
  ended: boolean(),
});

describe('a head of HTTP/2', () => {
  test('becomes one request to the strictest reader, with its own body and no other, or is refused', () => {
    let accepted = 0;
    assert(
      property(request, boolean(), ({ method, scheme, authority, path, fields, ended }, trusted) => {
        const pseudo = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path];
        const read = readRequestFields([...pseudo, ...fields.flat()], ended);
        if (!read.ok) return;
        accepted++;
        const { contentLength, fields: rawHeaders } = read.request;
        const chunked = !ended && contentLength === null;
        const client = {
          method: read.request.method,
          rawHeaders,
          headers: { host: read.request.authority },
          httpVersion: '2.0',
          complete: ended,
          socket: { bytesRead: 0, remoteAddress: '127.0.0.1', encrypted: true, destroy: () => undefined },
          on: () => undefined,
          off: () => undefined,
          isPaused: () => false,
          pause: () => undefined,
          resume: () => undefined,
        };
        const head = requestHead(client, {
          path: read.request.path,
          host: read.request.authority,
          chunked,
          trusts: trusted ? () => true : null,
          edits: null,
          upgrade: false,
        });
        const body = chunked ? '0\r\n\r\n' : 'b'.repeat(Math.min(contentLength ?? 0, 1_000));
        const reader = new StrictReader();
        const heard = [...reader.feed(head), ...reader.feed(body)];
        if ((contentLength ?? 0) > 1_000) return;
        expect(heard).toMatchObject([{ method, host: authority, target: path, whole: true }]);
        expect(reader.rest).toBe('');
      }),
      { numRuns: 4_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('streams that are given up', () => {
  test('are no attack when a browser does it, and one when it does not end', () => {
    const browsing = new ResetLimit();
    for (let i = 0; i < 3_000; i++) expect(browsing.count(1_000 + i * 45)).toBe(false);
    const flooding = new ResetLimit();
    const counted = Array.from({ length: 1_000 }, (_, i) => flooding.count(i));
    expect(counted.indexOf(true)).toBeGreaterThan(150);
    expect(counted.at(-1)).toBe(true);
  });
});
