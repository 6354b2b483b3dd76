/** As much of DER as a request and a self-signed certificate need: every function answers whole encoded values. */

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BOOLEAN = 0x01;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

export const sequence = (...parts: Buffer[]): Buffer => value(SEQUENCE, Buffer.concat(parts));
export const set = (...parts: Buffer[]): Buffer => value(SET, Buffer.concat(parts));
export const octets = (content: Buffer): Buffer => value(OCTET_STRING, content);
export const text = (content: string): Buffer => value(UTF8_STRING, Buffer.from(content));
export const yes = (): Buffer => value(BOOLEAN, Buffer.from([0xff]));
/** `[tag]` around values. */
export const explicit = (tag: number, ...parts: Buffer[]): Buffer =>
  value(CONTEXT | CONSTRUCTED | tag, Buffer.concat(parts));
/** `[tag]` in the place of the type of a plain value. */
export const implicit = (tag: number, content: Buffer): Buffer => value(CONTEXT | tag, content);
/** All bits of whole bytes. */
export const bits = (content: Buffer): Buffer => value(BIT_STRING, Buffer.concat([Buffer.from([0]), content]));

/** A whole number from its bytes, which is never negative. */
export function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first < 0 ? Buffer.from([0]) : bytes.subarray(first);
  const sign = (shortest[0] ?? 0) > 0x7f ? Buffer.from([0]) : Buffer.alloc(0);
  return value(INTEGER, Buffer.concat([sign, shortest]));
}

/** Such as `2.5.29.17`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return value(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Wall time, ms; whole seconds are kept. */
export function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  // The short form means the years from 1950 to 2049.
  return digits < '2050' ? value(UTC_TIME, Buffer.from(digits.slice(2))) : value(GENERALIZED_TIME, Buffer.from(digits));
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let rest = number >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function value(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}
