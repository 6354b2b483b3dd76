/** Frames of HTTP/2 by hand (RFC 9113, 4.1), with fields as no library would write them (RFC 7541, 6.2.2). */

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const ERRORS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];

export const errorName = (code: number): string => ERRORS[code] ?? String(code);

export type Fields = readonly (readonly [string, string])[];

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** As literals, never indexed, never compressed, whatever is in them. */
export const block = (fields: Fields): Buffer =>
  Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0x10]), text(name), text(value)])));

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** With a prefix of seven bits. */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** Cuts what a server sends into frames. */
export class FrameReader {
  #left = Buffer.alloc(0);

  feed(bytes: Buffer): Frame[] {
    this.#left = Buffer.concat([this.#left, bytes]);
    const frames: Frame[] = [];
    while (this.#left.length >= 9) {
      const end = 9 + this.#left.readUIntBE(0, 3);
      if (this.#left.length < end) break;
      const [type = 0, flags = 0] = this.#left.subarray(3, 5);
      const stream = this.#left.readUInt32BE(5) & 0x7fffffff;
      frames.push({ type, flags, stream, payload: this.#left.subarray(9, end) });
      this.#left = this.#left.subarray(end);
    }
    return frames;
  }
}

/** Of the static table. */
const INDEXED: Readonly<Record<number, number>> = { 8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500 };
/** Digits in Huffman's code. */
const DIGITS: Readonly<Record<string, string>> = {
  '00000': '0',
  '00001': '1',
  '00010': '2',
  '011001': '3',
  '011010': '4',
  '011011': '5',
  '011100': '6',
  '011101': '7',
  '011110': '8',
  '011111': '9',
};

/** The status of a reply, which is its first field; 0 for trailers and what else begins differently. */
export function statusOf(headers: Buffer): number {
  let at = 0;
  while (((headers[at] ?? 0) & 0xe0) === 0x20) at++; // a new size of the table
  const first = headers[at] ?? 0;
  if (first >= 0x80) return INDEXED[first & 0x7f] ?? 0;
  const index = first >= 0x40 ? first & 0x3f : first & 0x0f;
  if (index < 8 || index > 14) return 0;
  const length = headers[at + 1] ?? 0;
  const value = headers.subarray(at + 2, at + 2 + (length & 0x7f));
  return Number(length < 0x80 ? value.toString('latin1') : digits(value));
}

function digits(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let said = '';
  for (let at = 0; at < bits.length;) {
    const length = [5, 6].find((each) => DIGITS[bits.slice(at, at + each)] !== undefined);
    if (length === undefined) break;
    said += DIGITS[bits.slice(at, at + length)] ?? '';
    at += length;
  }
  return said;
}
