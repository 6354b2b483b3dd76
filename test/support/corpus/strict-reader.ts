/** One request as it reached an instance. */
export interface Heard {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Name in lower case, value; in order. */
  readonly fields: readonly (readonly [string, string])[];
  /** Without its framing. */
  readonly body: string;
  /** False when the connection ended before the request did. */
  readonly whole: boolean;
}

type Framing = { readonly kind: 'length'; left: number } | { readonly kind: 'chunked' };

interface Begun {
  readonly head: Omit<Heard, 'body' | 'whole'>;
  readonly framing: Framing;
  body: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;
const CHUNK = /^([0-9a-fA-F]{1,8})$/;

/**
 * Reads requests as the strictest server would (RFC 9112 with nothing tolerated), so that whatever passes here means one
 * thing to everybody. Throws, with the reason, on anything else. Bytes are latin1 text.
 */
export class StrictReader {
  #left = '';
  #begun: Begun | null = null;

  /** Requests that ended in these bytes. */
  feed(bytes: string): Heard[] {
    this.#left += bytes;
    const heard: Heard[] = [];
    for (let next = this.#next(); next !== null; next = this.#next()) heard.push(next);
    return heard;
  }

  /** What had begun when the connection ended. */
  end(): Heard | null {
    const begun = this.#begun;
    return begun === null ? null : { ...begun.head, body: begun.body, whole: false };
  }

  /** Bytes that have not become a request. */
  get rest(): string {
    return this.#left;
  }

  #next(): Heard | null {
    if (this.#begun === null) {
      const end = this.#left.indexOf('\r\n\r\n');
      if (end < 0) return null;
      this.#begun = begin(this.#left.slice(0, end));
      this.#left = this.#left.slice(end + 4);
    }
    const { head, framing } = this.#begun;
    const ended = framing.kind === 'length' ? this.#readLength(this.#begun, framing) : this.#readChunks(this.#begun);
    if (!ended) return null;
    const { body } = this.#begun;
    this.#begun = null;
    return { ...head, body, whole: true };
  }

  #readLength(begun: Begun, framing: { left: number }): boolean {
    const part = this.#left.slice(0, framing.left);
    begun.body += part;
    framing.left -= part.length;
    this.#left = this.#left.slice(part.length);
    return framing.left === 0;
  }

  #readChunks(begun: Begun): boolean {
    for (;;) {
      const line = this.#left.indexOf('\r\n');
      if (line < 0) return false;
      const size = CHUNK.exec(this.#left.slice(0, line))?.[1];
      if (size === undefined) throw new Error(`no size of a chunk: ${JSON.stringify(this.#left.slice(0, line))}`);
      const length = Number.parseInt(size, 16);
      const end = line + 2 + length;
      if (this.#left.length < end + 2) return false;
      if (this.#left.slice(end, end + 2) !== '\r\n') throw new Error('no line end after a chunk, or a trailer');
      begun.body += this.#left.slice(line + 2, end);
      this.#left = this.#left.slice(end + 2);
      if (length === 0) return true;
    }
  }
}

function begin(text: string): Begun {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', target = '', version, more] = first.split(' ');
  if (!TOKEN.test(method) || !/^[\x21-\x7e]+$/.test(target) || version !== 'HTTP/1.1' || more !== undefined)
    throw new Error(`no request line: ${JSON.stringify(first)}`);
  const fields = lines.map((line): [string, string] => {
    const field = FIELD.exec(line);
    if (field === null) throw new Error(`no field: ${JSON.stringify(line)}`);
    return [(field[1] ?? '').toLowerCase(), field[2] ?? ''];
  });
  const all = (name: string): string[] => fields.flatMap(([each, value]) => (each === name ? value : []));
  const hosts = all('host');
  if (hosts.length !== 1) throw new Error(`${hosts.length} hosts`);
  return { head: { method, target, host: hosts[0] ?? '', fields }, framing: framingOf(all), body: '' };
}

function framingOf(all: (name: string) => string[]): Framing {
  const lengths = all('content-length');
  const codings = all('transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Error('framed in two ways');
  const [coding] = codings;
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new Error(`coded as ${coding}`);
    return { kind: 'chunked' };
  }
  const [length = '0'] = lengths;
  if (!/^\d{1,15}$/.test(length)) throw new Error(`a length of ${length}`);
  return { kind: 'length', left: Number(length) };
}
