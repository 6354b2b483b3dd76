import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from '../../corpus/cases/case.ts';
import type { Recorder } from './recorder.ts';
import type { Heard } from './strict-reader.ts';

/** What became of one case behind one proxy. */
export interface Outcome {
  /** Final statuses. */
  readonly answers: readonly number[];
  readonly requests: readonly Heard[];
  readonly wrong: readonly string[];
}

/** Between two pieces of what is sent slowly. */
const PAUSE_MS = 150;
/** More than any of the proxies waits for a client. */
const GIVE_UP_MS = 20_000;

export const markOf = (index: number): string => `q${index}q`;

/** Sends every case on a connection of its own, all at once, and waits until the proxy has closed each. */
export async function sendAll(
  port: number,
  cases: readonly Pick<Case, 'send' | 'waits'>[],
  recorder: Recorder,
): Promise<Outcome[]> {
  const answers = await Promise.all(
    cases.map(({ send, waits = false }, index) => {
      const pieces = typeof send === 'string' ? [send] : send;
      return exchange(
        port,
        pieces.map((piece) => piece.replaceAll('{}', markOf(index))),
        waits,
      );
    }),
  );
  return answers.map((text, index) => {
    const { requests = [], wrong = [] } = recorder.recorded.get(markOf(index)) ?? {};
    return { answers: statuses(text), requests, wrong };
  });
}

async function exchange(port: number, pieces: readonly string[], waits: boolean): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (answer += chunk));
  socket.on('error', () => undefined);
  const answered = new Promise((resolve) => socket.once('data', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const late = setTimeout(() => socket.destroy(), GIVE_UP_MS);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0 && waits) await Promise.race([answered, closed]);
    else if (index > 0) await sleep(PAUSE_MS);
    if (!socket.destroyed) socket.write(piece, 'latin1');
  }
  await closed;
  clearTimeout(late);
  return answer;
}

/** Of all replies, interim ones left out. */
const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status)).filter((status) => status >= 200);
