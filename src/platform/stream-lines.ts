import { StringDecoder } from 'node:string_decoder';

/** The lines of a stream of bytes as they come, without their ends; a last one without an end too. */
export async function* lines(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.write(chunk as Buffer);
    let from = 0;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', from)) {
      yield withoutReturn(rest.slice(from, end));
      from = end + 1;
    }
    rest = rest.slice(from);
  }
  rest += decoder.end();
  if (rest !== '') yield withoutReturn(rest);
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

export interface ServerSentEvent {
  /** `message` unless the server named it. */
  event: string;
  data: string;
  id: string | null;
}

/** The events of an event stream; null for a comment, by which a server says that the line is alive. */
export async function* serverSentEvents(source: AsyncIterable<string>): AsyncGenerator<ServerSentEvent | null> {
  let event = 'message';
  let id: string | null = null;
  let data: string[] = [];
  for await (const line of source) {
    if (line === '') {
      yield data.length > 0 ? { event, data: data.join('\n'), id } : null;
      event = 'message';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
  }
}
