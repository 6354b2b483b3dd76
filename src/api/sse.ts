import type { ServerResponse } from 'node:http';
import type { Sent } from './call.ts';
import { DATA_HEADERS } from './shield-headers.ts';
import { drained } from './drained.ts';

/** How long a reader may leave what it was given unread, ms: it is gone, or asleep, and connects again. */
const PATIENCE_MS = 60_000;

/**
 * Writes events to a client until there are no more or it has left. A reader that is slower than what happens is waited
 * for, up to `patienceMs`: nothing piles up here. A sign of life is a comment, which readers pass over.
 */
export async function writeEvents(
  out: ServerResponse,
  events: AsyncIterable<Sent<unknown>>,
  signal: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  out.writeHead(200, {
    'content-type': 'text/event-stream',
    ...DATA_HEADERS,
    // Proxies that collect replies before they pass them on are asked not to.
    'x-accel-buffering': 'no',
  });
  out.flushHeaders();
  try {
    for await (const event of events) {
      if (signal.aborted || out.writableEnded) return;
      if (out.write(textOf(event))) continue;
      const enough = setTimeout(() => out.destroy(), patienceMs);
      await drained(out, signal).finally(() => clearTimeout(enough));
    }
  } finally {
    out.end();
  }
}

function textOf(event: Sent<unknown>): string {
  if (event === null) return ':\n\n';
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  return `${id}data: ${JSON.stringify(event.data)}\n\n`;
}
