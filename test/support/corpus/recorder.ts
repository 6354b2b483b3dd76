import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { StrictReader } from './strict-reader.ts';
import type { Heard } from './strict-reader.ts';

/** What every case carries in its target, host or body, so that what it became can be found again. */
const MARK = /q\d+q/;

const REPLY = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

export interface Recorded {
  readonly requests: Heard[];
  /** Why bytes meant nothing, or more than one thing, to a strict server. */
  readonly wrong: string[];
}

/** An instance that is nothing but a socket: it keeps what it is sent, and answers whatever is a request. */
export interface Recorder {
  readonly port: number;
  /** By mark; what bears none is under the empty one. */
  readonly recorded: ReadonlyMap<string, Recorded>;
  close(): Promise<void>;
}

export async function startRecorder(): Promise<Recorder> {
  const recorded = new Map<string, Recorded>();
  const sockets = new Set<Socket>();
  const under = (text: string): Recorded => {
    const mark = MARK.exec(text)?.[0] ?? '';
    const known = recorded.get(mark) ?? { requests: [], wrong: [] };
    recorded.set(mark, known);
    return known;
  };
  const keep = (heard: Heard): void => {
    if (heard.target !== '/health') under(JSON.stringify(heard)).requests.push(heard);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    const reader = new StrictReader();
    let bytes = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      bytes = (bytes + chunk).slice(-4_000);
      try {
        for (const heard of reader.feed(chunk)) {
          keep(heard);
          socket.write(REPLY);
        }
      } catch (error) {
        under(bytes).wrong.push(
          `${error instanceof Error ? error.message : String(error)} in ${JSON.stringify(bytes)}`,
        );
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      const begun = reader.end();
      if (begun !== null) keep(begun);
      else if (reader.rest !== '') under(reader.rest).wrong.push(`half a head: ${JSON.stringify(reader.rest)}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    recorded,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
