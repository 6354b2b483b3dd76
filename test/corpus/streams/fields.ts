import type { StreamCase } from './case.ts';
import { asking, FOLLOWER, LEFT_OUT, posting } from './case.ts';

const CHUNKS = `0\r\n\r\n${FOLLOWER}`;

/** Fields that mean nothing to HTTP/2, or something else to HTTP/1.1 behind it. */
export const FIELDS: readonly StreamCase[] = [
  { name: 'a request', send: [asking()], answers: ['200'], reaches: ['GET /{}/a'] },
  {
    name: 'a body with a length',
    send: posting('hello', [['content-length', '5']]),
    answers: ['200'],
    reaches: ['POST /{}/a hello'],
  },
  { name: 'a body without a length', send: posting('hello'), answers: ['200'], reaches: ['POST /{}/a hello'] },
  {
    name: 'a post without a body',
    send: [asking([], { ':method': 'POST' })],
    answers: ['200'],
    reaches: ['POST /{}/a'],
  },
  {
    name: 'cookies one by one',
    send: [
      asking([
        ['cookie', 'a=1'],
        ['x', 'y'],
        ['cookie', 'b=2'],
      ]),
    ],
    watch: ['cookie', 'x'],
    answers: ['200'],
    reaches: ['GET /{}/a'],
  },
  {
    name: 'trailers that are welcome',
    send: [asking([['te', 'trailers']])],
    watch: ['te'],
    answers: ['200'],
    reaches: ['GET /{}/a'],
  },
  {
    name: 'another coding that is welcome',
    send: [asking([['te', 'gzip']])],
    watch: ['te'],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a connection that closes',
    send: [asking([['connection', 'close']])],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a connection that nominates',
    send: [
      asking([
        ['connection', 'x'],
        ['x', 'y'],
      ]),
    ],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a connection that is kept',
    send: [asking([['keep-alive', 'timeout=5']])],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a connection to a proxy',
    send: [asking([['proxy-connection', 'keep-alive']])],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'an upgrade', send: [asking([['upgrade', 'websocket']])], answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'settings of HTTP/2',
    send: [asking([['http2-settings', 'AAMAAABk']])],
    watch: ['http2-settings'],
    answers: ['200'],
    reaches: ['GET /{}/a'],
  },
  {
    name: 'chunks',
    send: posting(CHUNKS, [['transfer-encoding', 'chunked']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'chunks and a length',
    send: posting(CHUNKS, [
      ['content-length', String(CHUNKS.length)],
      ['transfer-encoding', 'chunked'],
    ]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'chunks with a name that has a blank',
    send: posting(CHUNKS, [['transfer-encoding ', 'chunked']]),
    answers: ['200'],
    reaches: ['POST /{}/a 0\r\n\r\nGET /{}/follower HTTP/1.1\r\nHost: a.example'],
    differs: LEFT_OUT,
  },
  {
    name: 'chunks in capitals',
    send: posting(CHUNKS, [['Transfer-Encoding', 'chunked']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'chunks with an underscore',
    send: posting(CHUNKS, [['transfer_encoding', 'chunked']]),
    watch: ['transfer_encoding'],
    answers: ['200'],
    reaches: ['POST /{}/a 0\r\n\r\nGET /{}/follower HTTP/1.1\r\nHost: a.example'],
  },
  {
    name: 'chunks behind a line break',
    send: posting(CHUNKS, [['x', 'y\r\ntransfer-encoding: chunked']]),
    answers: ['200'],
    reaches: ['POST /{}/a 0\r\n\r\nGET /{}/follower HTTP/1.1\r\nHost: a.example'],
    differs: LEFT_OUT,
  },
  {
    name: 'chunks in a name',
    send: posting(CHUNKS, [['x: y\r\ntransfer-encoding', 'chunked']]),
    answers: ['200'],
    reaches: ['POST /{}/a 0\r\n\r\nGET /{}/follower HTTP/1.1\r\nHost: a.example'],
    differs: LEFT_OUT,
  },
  {
    name: 'a request in a value',
    send: [asking([['x', `y\r\n\r\n${FOLLOWER}`]])],
    answers: ['200'],
    reaches: ['GET /{}/a'],
    differs: LEFT_OUT,
  },
  {
    name: 'a length that is too small',
    send: posting(`hello${FOLLOWER}`, [['content-length', '5']]),
    answers: ['goaway INTERNAL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length that is too large',
    send: posting('hello', [['content-length', '50']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length of zero, and a body',
    send: posting(FOLLOWER, [['content-length', '0']]),
    answers: ['goaway INTERNAL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length, and no body',
    send: [asking([['content-length', '5']])],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length of zero, and no body',
    send: [asking([['content-length', '0']])],
    answers: ['200'],
    reaches: ['GET /{}/a'],
  },
  {
    name: 'two lengths',
    send: posting('hello', [
      ['content-length', '5'],
      ['content-length', '6'],
    ]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'two equal lengths',
    send: posting('hello', [
      ['content-length', '5'],
      ['content-length', '5'],
    ]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a list of lengths',
    send: posting('hello', [['content-length', '5, 5']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length with a plus',
    send: posting('hello', [['content-length', '+5']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length behind a blank',
    send: posting('hello', [['content-length', ' 5']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'an empty length',
    send: posting('hello', [['content-length', '']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length beyond 64 bits',
    send: posting('hello', [['content-length', '18446744073709551621']]),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a length with an underscore',
    send: posting('hello', [['content_length', '50']]),
    watch: ['content_length'],
    answers: ['200'],
    reaches: ['POST /{}/a hello'],
  },
];
