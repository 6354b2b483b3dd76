import type { StreamCase } from './case.ts';
import { asking, FOLLOWER } from './case.ts';

const path = (value: string | null) => [asking([], { ':path': value })];
const method = (value: string | null) => [asking([], { ':method': value })];
const scheme = (value: string | null) => [asking([], { ':scheme': value })];
const authority = (value: string | null, host?: string) => [
  asking(host === undefined ? [] : [['host', host]], { ':authority': value }),
];
const BREAK = ` HTTP/1.1\r\nHost: a.example\r\n\r\n${FOLLOWER}`;

/** What stands in the request line of HTTP/1.1, and whom the request is for. */
export const PSEUDO: readonly StreamCase[] = [
  { name: 'a path with a request in it', send: path(`/{}/a${BREAK}`), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a path with a blank', send: path('/{}/a b'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a path with a version', send: path('/{}/a HTTP/1.1'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a path with a line feed', send: path('/{}/a\nx: y'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a path with a tab', send: path('/{}/a\tb'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a path with a NUL', send: path('/{}/a\0'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a path with high bytes', send: path('/{}/\xe4'), answers: ['400'], reaches: [] },
  { name: 'a path with a fragment', send: path('/{}/a#b'), answers: ['400'], reaches: [] },
  {
    name: 'a path with quotes and brackets',
    send: path('/{}/"<>^`{|}\\'),
    answers: ['200'],
    reaches: ['GET /{}/"<>^`{|}\\'],
  },
  {
    name: 'a path with two slashes',
    send: path('//b.example/{}/a'),
    answers: ['200'],
    reaches: ['GET //b.example/{}/a'],
  },
  { name: 'a path with points', send: path('/{}/../a/./b'), answers: ['200'], reaches: ['GET /{}/../a/./b'] },
  { name: 'a path without a slash', send: path('{}/a'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'an empty path',
    send: [asking([['x', '{}']], { ':path': '' })],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'an absolute path', send: path('http://b.example/{}/a'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'everything',
    send: [asking([['x', '{}']], { ':path': '*' })],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'options of everything',
    send: [asking([['x', '{}']], { ':path': '*', ':method': 'OPTIONS' })],
    answers: ['200'],
    reaches: ['OPTIONS *'],
  },
  { name: 'no path', send: path(null), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a path twice', send: [asking([[':path', '/{}/b']])], answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'a method with a request in it',
    send: method(`GET /{}/b${BREAK}GET`),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'a method with a blank', send: method('GET /{}/b'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a method with a bracket', send: method('G<T'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a method in small letters', send: method('get'), answers: ['200'], reaches: ['get /{}/a'] },
  { name: 'a method that nobody knows', send: method('BREW'), answers: ['200'], reaches: ['BREW /{}/a'] },
  { name: 'an empty method', send: method(''), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'no method', send: method(null), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'a method twice',
    send: [
      {
        fields: [
          [':method', 'GET'],
          [':method', 'POST'],
          [':scheme', 'https'],
          [':authority', 'a.example'],
          [':path', '/{}/a'],
        ],
        ends: true,
      },
    ],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a tunnel',
    send: [
      {
        fields: [
          [':method', 'CONNECT'],
          [':authority', '{}.example:80'],
        ],
        ends: false,
      },
    ],
    answers: ['400'],
    reaches: [],
  },
  { name: 'a tunnel with a path', send: method('CONNECT'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'a WebSocket',
    send: [asking([], { ':method': 'CONNECT' })].map((each) =>
      'fields' in each ? { ...each, ends: false, fields: [[':protocol', 'websocket'] as const, ...each.fields] } : each,
    ),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'no scheme', send: scheme(null), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'an empty scheme', send: scheme(''), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'a scheme without TLS', send: scheme('http'), answers: ['200'], reaches: ['GET /{}/a'] },
  { name: 'another scheme', send: scheme('ftp'), answers: ['400'], reaches: [] },
  {
    name: 'a scheme with a host',
    send: scheme('https://b.example/{}/b?'),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'a scheme with a line break', send: scheme('https\r\nx: y'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'an authority and the same host',
    send: authority('a.example', 'A.example'),
    answers: ['200'],
    reaches: ['GET /{}/a'],
  },
  { name: 'an authority and another host', send: authority('a.example', 'b.example'), answers: ['400'], reaches: [] },
  {
    name: 'a host in place of an authority',
    send: authority(null, 'a.example'),
    answers: ['200'],
    reaches: ['GET /{}/a'],
  },
  { name: 'neither authority nor host', send: authority(null), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  { name: 'an empty authority', send: authority(''), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'two hosts',
    send: [
      asking(
        [
          ['host', 'a.example'],
          ['host', 'b.example'],
        ],
        { ':authority': null },
      ),
    ],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'two authorities',
    send: [
      {
        fields: [
          [':authority', 'b.example'],
          [':method', 'GET'],
          [':scheme', 'https'],
          [':authority', 'a.example'],
          [':path', '/{}/a'],
        ],
        ends: true,
      },
    ],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'an authority with somebody',
    send: authority('me@a.example'),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'an authority with a blank',
    send: authority('a.example b.example'),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'an authority with a path', send: authority('a.example/b'), answers: ['reset PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'an authority with a line break',
    send: authority('a.example\r\nx: y'),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'an authority with two ports', send: authority('a.example:80:90'), answers: ['400'], reaches: [] },
  { name: 'an authority that is an address', send: authority('[::1]:443'), answers: ['200'], reaches: ['GET /{}/a'] },
  {
    name: 'a host with a line break',
    send: authority(null, 'a.example\r\nx: y'),
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a pseudo field behind a field',
    send: [
      {
        fields: [
          [':method', 'GET'],
          [':scheme', 'https'],
          [':authority', 'a.example'],
          ['x', 'y'],
          [':path', '/{}/a'],
        ],
        ends: true,
      },
    ],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a pseudo field that nobody knows',
    send: [
      {
        fields: [
          [':x', 'y'],
          [':method', 'GET'],
          [':scheme', 'https'],
          [':authority', 'a.example'],
          [':path', '/{}/a'],
        ],
        ends: true,
      },
    ],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a pseudo field of replies',
    send: [
      {
        fields: [
          [':status', '200'],
          [':method', 'GET'],
          [':scheme', 'https'],
          [':authority', 'a.example'],
          [':path', '/{}/a'],
        ],
        ends: true,
      },
    ],
    answers: ['reset PROTOCOL_ERROR'],
    reaches: [],
  },
];
