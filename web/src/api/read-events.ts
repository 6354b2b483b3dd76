/** One event of a text/event-stream; null: a sign of life. */
export type RawEvent = { id: string | null; data: string } | null;

/** A line longer than this is no event of ours. */
const LONGEST = 8 * 1024 * 1024;

/** Reads server-sent events; EventSource could, but sends no headers. Ends with the stream, or throws when it is cut. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<RawEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  let event = fresh();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST) throw new Error('a line without an end');
      for (const line of lines) {
        if (line.startsWith(':')) yield null;
        else if (line !== '') event = withField(event, line);
        else {
          if (event.data.length > 0) yield { id: event.id, data: event.data.join('\n') };
          event = fresh();
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

interface Partial {
  id: string | null;
  data: string[];
}

const fresh = (): Partial => ({ id: null, data: [] });

function withField(event: Partial, line: string): Partial {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (name === 'data') return { ...event, data: [...event.data, value] };
  if (name === 'id') return { ...event, id: value };
  return event;
}
