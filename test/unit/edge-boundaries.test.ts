import { describe, expect, test } from 'vitest';
import { EventBoundary } from '../../src/edge/stream/event-boundary.ts';
import { FrameScanner } from '../../src/edge/stream/frame-scanner.ts';

const frame = (opcode: number, payload: number, final = true): Buffer => {
  const first = (final ? 0x80 : 0) | opcode;
  if (payload < 126) return Buffer.concat([Buffer.from([first, payload]), Buffer.alloc(payload)]);
  const header = Buffer.alloc(payload < 65_536 ? 4 : 10);
  header[0] = first;
  header[1] = payload < 65_536 ? 126 : 127;
  if (payload < 65_536) header.writeUInt16BE(payload, 2);
  else header.writeBigUInt64BE(BigInt(payload), 2);
  return Buffer.concat([header, Buffer.alloc(payload)]);
};

describe('frame boundaries', () => {
  test('are found whatever the packets', () => {
    const frames = [
      frame(1, 5),
      frame(2, 300),
      frame(1, 70_000),
      frame(9, 0),
      frame(1, 3, false),
      frame(0, 4),
      frame(8, 2),
    ];
    const all = Buffer.concat(frames);
    // A fragmented message ends with its last fragment.
    const ends = [0, 1, 2, 3, 5, 6].map((last) =>
      frames.slice(0, last + 1).reduce((sum, { length }) => sum + length, 0),
    );
    for (const size of [1, 2, 3, 7, 1000, all.length]) {
      const scanner = new FrameScanner();
      const found: number[] = [];
      for (let at = 0; at < all.length;) {
        at += scanner.read(all.subarray(at, Math.min(all.length, at + size)), true);
        if (scanner.atBoundary) found.push(at);
      }
      expect(found).toEqual(ends);
      expect(scanner.closeSeen).toBe(true);
    }
  });
});

describe('event boundaries', () => {
  test.each(['\n', '\r\n', '\r'])('are empty lines, lines ending in %j', (eol) => {
    const text = Buffer.from(`data: 1${eol}${eol}: comment${eol}data: 2${eol}${eol}`);
    for (const size of [1, 2, 3, 100]) {
      const events = new EventBoundary();
      expect(events.atBoundary).toBe(true);
      for (let at = 0; at < text.length - eol.length; at += size)
        events.read(text.subarray(at, Math.min(text.length - eol.length, at + size)), false);
      expect(events.atBoundary).toBe(false);
      events.read(text.subarray(text.length - eol.length), false);
      expect(events.atBoundary).toBe(true);
    }
  });

  test('a stream that shall end is read up to the end of its event', () => {
    const events = new EventBoundary();
    events.read(Buffer.from('data: half'), false);
    expect(events.read(Buffer.from(' more\n\ndata: next'), true)).toBe(' more\n\n'.length);
    expect(events.atBoundary).toBe(true);
  });
});
