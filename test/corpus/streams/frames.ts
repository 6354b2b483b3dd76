import { FLAG, FRAME } from '../../support/corpus/frames.ts';
import type { StreamCase } from './case.ts';
import { asking, FOLLOWER, posting } from './case.ts';

const again = { ...asking(), stream: 3 };
const [begun, rest] = posting('hello') as [ReturnType<typeof asking>, { data: string; ends: boolean }];
const open = { ...begun, ends: false };

/** Frames in the wrong order, of the wrong size, or on the wrong stream. */
export const FRAMES: readonly StreamCase[] = [
  { name: 'fields in many small frames', send: [{ ...asking(), cut: 9 }], answers: ['200'], reaches: ['GET /{}/a'] },
  {
    name: 'two requests at once',
    send: [asking(), again],
    answers: ['200', '200'],
    reaches: ['GET /{}/a', 'GET /{}/a'],
  },
  {
    name: 'a body in several frames, one of them empty',
    send: [open, { data: 'he', ends: false }, { data: '', ends: false }, { data: 'llo', ends: true }],
    answers: ['200'],
    reaches: ['POST /{}/a hello'],
  },
  {
    name: 'a body with padding',
    send: [open, { frame: [FRAME.data, FLAG.padded | FLAG.endStream, 1, '\x03hello\0\0\0'] }],
    answers: ['200'],
    reaches: ['POST /{}/a hello'],
  },
  {
    name: 'a body with more padding than there is',
    send: [open, { frame: [FRAME.data, FLAG.padded | FLAG.endStream, 1, '\x40hello'] }],
    perhaps: true,
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: ['POST /{}/a ...'],
  },
  {
    name: 'data behind the end',
    send: [open, rest, { data: FOLLOWER, ends: true }],
    perhaps: true,
    answers: ['goaway STREAM_CLOSED'],
    reaches: ['POST /{}/a hello'],
  },
  {
    name: 'data behind a request without a body',
    send: [asking(), { data: FOLLOWER, ends: true }],
    perhaps: true,
    answers: ['goaway STREAM_CLOSED'],
    reaches: ['GET /{}/a'],
  },
  {
    name: 'data of a stream that never began',
    send: [{ data: FOLLOWER, ends: true, stream: 5 }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'data of no stream',
    send: [{ data: FOLLOWER, ends: true, stream: 0 }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'fields twice',
    send: [asking(), asking()],
    perhaps: true,
    answers: ['goaway STREAM_CLOSED'],
    reaches: ['GET /{}/a'],
  },
  {
    name: 'a stream of the server',
    send: [{ ...asking(), stream: 2 }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  { name: 'fields of no stream', send: [{ ...asking(), stream: 0 }], answers: ['goaway PROTOCOL_ERROR'], reaches: [] },
  {
    name: 'a stream before the last',
    send: [{ ...asking(), stream: 5 }, again],
    perhaps: true,
    answers: ['200'],
    reaches: ['GET /{}/a'],
    differs: 'the first request was whole before the second broke a rule',
  },
  {
    name: 'something between two parts of the fields',
    send: [{ frame: [FRAME.headers, FLAG.endStream, 1, ''] }, { frame: [FRAME.ping, 0, 0, '12345678'] }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'another request between two parts of the fields',
    send: [{ frame: [FRAME.headers, FLAG.endStream, 1, ''] }, again],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a continuation of nothing',
    send: [{ frame: [FRAME.continuation, FLAG.endHeaders, 1, ''] }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'fields that are no code',
    send: [{ frame: [FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, '\xff\xff\xff\xff\xff\xff'] }],
    answers: ['goaway COMPRESSION_ERROR'],
    reaches: [],
  },
  {
    name: 'a table that is too large',
    send: [{ frame: [FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, '\x3f\xe1\xff\x7f'] }],
    answers: ['goaway COMPRESSION_ERROR'],
    reaches: [],
  },
  {
    name: 'a frame that is too large',
    send: [open, { frame: [FRAME.data, FLAG.endStream, 1, 'x'.repeat(16_385)] }],
    perhaps: true,
    answers: ['goaway FRAME_SIZE_ERROR'],
    reaches: ['POST /{}/a ...'],
  },
  {
    name: 'a window that grows by nothing',
    send: [open, { frame: [FRAME.window, 0, 1, '\0\0\0\0'] }, rest],
    perhaps: true,
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: ['POST /{}/a ...'],
  },
  {
    name: 'a window that grows too far',
    send: [open, { frame: [FRAME.window, 0, 1, '\x7f\xff\xff\xff'] }, rest],
    perhaps: true,
    answers: ['goaway FLOW_CONTROL_ERROR'],
    reaches: ['POST /{}/a ...'],
  },
  {
    name: 'a window of the connection that grows too far',
    send: [{ frame: [FRAME.window, 0, 0, '\x7f\xff\xff\xff'] }],
    answers: ['goaway FLOW_CONTROL_ERROR'],
    reaches: [],
  },
  {
    name: 'a stream that depends on itself',
    send: [{ frame: [FRAME.priority, 0, 1, '\0\0\0\x01\x10'] }, asking()],
    perhaps: true,
    answers: ['200'],
    reaches: ['GET /{}/a'],
    differs: 'priorities mean nothing any more (RFC 9113, 5.3.2), so nobody looks at them',
  },
  {
    name: 'a push',
    send: [{ frame: [FRAME.push, FLAG.endHeaders, 1, '\0\0\0\x02'] }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a frame that nobody knows',
    send: [{ frame: [0xee, 0xff, 1, 'what'] }, asking()],
    answers: ['200'],
    reaches: ['GET /{}/a'],
  },
  {
    name: 'settings of half a size',
    send: [{ frame: [FRAME.settings, 0, 0, '\0\x01\0'] }],
    answers: ['goaway FRAME_SIZE_ERROR'],
    reaches: [],
  },
  {
    name: 'settings that are acknowledged and said',
    send: [{ frame: [FRAME.settings, FLAG.ack, 0, '\0\x01\0\0\0\0'] }],
    answers: ['goaway FRAME_SIZE_ERROR'],
    reaches: [],
  },
  {
    name: 'settings of a stream',
    send: [{ frame: [FRAME.settings, 0, 1, ''] }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a push that is allowed by two',
    send: [{ frame: [FRAME.settings, 0, 0, '\0\x02\0\0\0\x02'] }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a ping of half a size',
    send: [{ frame: [FRAME.ping, 0, 0, '1234'] }],
    answers: ['goaway FRAME_SIZE_ERROR'],
    reaches: [],
  },
  {
    name: 'a reset of a stream that never began',
    send: [{ frame: [FRAME.reset, 0, 1, '\0\0\0\0'] }],
    answers: ['goaway PROTOCOL_ERROR'],
    reaches: [],
  },
  {
    name: 'a body that is given up',
    send: [open, { data: 'he', ends: false }, { frame: [FRAME.reset, 0, 1, '\0\0\0\x08'] }],
    perhaps: true,
    answers: [],
    reaches: ['POST /{}/a he ...'],
  },
  {
    name: 'a body that is given up without an error',
    send: [open, { data: 'he', ends: false }, { frame: [FRAME.reset, 0, 1, '\0\0\0\0'] }],
    perhaps: true,
    answers: [],
    reaches: ['POST /{}/a he ...'],
  },
  {
    name: 'a body that never ends',
    send: [open, { data: 'he', ends: false }],
    answers: ['408'],
    reaches: ['POST /{}/a he ...'],
  },
];
