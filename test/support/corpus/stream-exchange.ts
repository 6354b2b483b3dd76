import type { Piece } from '../../corpus/streams/case.ts';
import type { Outcome } from './exchange.ts';
import { markOf } from './exchange.ts';
import { block, FLAG, FRAME, frame } from './frames.ts';
import { RawSession } from './raw-session.ts';
import type { Recorder } from './recorder.ts';

/** More than any of the proxies waits for a client. */
const GIVE_UP_MS = 20_000;

export type StreamOutcome = Omit<Outcome, 'answers'> & { readonly answers: readonly string[] };

/** Sends every case on a connection of HTTP/2 of its own, all at once, and waits until the proxy has closed each. */
export async function sendStreams(
  tlsPort: number,
  sends: readonly (readonly Piece[])[],
  recorder: Recorder,
): Promise<StreamOutcome[]> {
  const sessions = await Promise.all(
    sends.map(async (pieces, index) => {
      const session = await RawSession.open(tlsPort);
      const late = setTimeout(() => session.socket.destroy(), GIVE_UP_MS);
      session.write(Buffer.concat(pieces.map((piece) => bytesOf(piece, markOf(index)))));
      await session.closed;
      clearTimeout(late);
      return session;
    }),
  );
  return sessions.map(({ answers }, index) => {
    const { requests = [], wrong = [] } = recorder.recorded.get(markOf(index)) ?? {};
    return { answers, requests, wrong };
  });
}

function bytesOf(piece: Piece, mark: string): Buffer {
  const marked = (text: string): string => text.replaceAll('{}', mark);
  if ('frame' in piece) {
    const [type, flags, stream, payload] = piece.frame;
    return frame(type, flags, stream, marked(payload));
  }
  const flag = piece.ends ? FLAG.endStream : 0;
  const { stream = 1 } = piece;
  if ('data' in piece) return frame(FRAME.data, flag, stream, marked(piece.data));
  const fields = block(piece.fields.map(([name, value]) => [marked(name), marked(value)] as const));
  const { cut = fields.length } = piece;
  const parts: Buffer[] = [];
  for (let at = 0; at < Math.max(1, fields.length); at += cut) {
    const last = at + cut >= fields.length ? FLAG.endHeaders : 0;
    const part = fields.subarray(at, at + cut);
    parts.push(
      at === 0 ? frame(FRAME.headers, flag | last, stream, part) : frame(FRAME.continuation, last, stream, part),
    );
  }
  return Buffer.concat(parts);
}
