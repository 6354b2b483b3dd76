/** What a client asks for in the first message of a handshake, as far as challenges are concerned. */
export interface Hello {
  /** Lower case; null: it named no host. */
  readonly host: string | null;
  readonly protocols: readonly string[];
}

/** `more`: it is not whole yet. `other`: no hello, or one that is not understood here; OpenSSL will judge it. */
export type HelloReading = Hello | 'more' | 'other';

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const RECORD_HEAD = 5;
/** A hello in several records, or a larger one, comes from nobody who asks for a challenge. */
const MAX_RECORD = 16_384;

/** Reads the hello at the start of a connection. Never throws. */
export function readHello(bytes: Buffer): HelloReading {
  if (bytes.length === 0) return 'more';
  if (bytes[0] !== HANDSHAKE) return 'other';
  if (bytes.length < RECORD_HEAD) return 'more';
  const length = bytes.readUInt16BE(3);
  if (length > MAX_RECORD) return 'other';
  if (bytes.length < RECORD_HEAD + length) return 'more';
  try {
    return parse(bytes.subarray(RECORD_HEAD, RECORD_HEAD + length));
  } catch {
    return 'other';
  }
}

function parse(record: Buffer): HelloReading {
  if (record[0] !== CLIENT_HELLO || record.readUIntBE(1, 3) + 4 > record.length) return 'other';
  // Message head, version and random come first.
  let at = 4 + 2 + 32;
  at += 1 + record.readUInt8(at); // session
  at += 2 + record.readUInt16BE(at); // ciphers
  at += 1 + record.readUInt8(at); // compression
  const end = at + 2 + record.readUInt16BE(at);
  at += 2;
  if (end > record.length) return 'other';
  let host: string | null = null;
  let protocols: string[] = [];
  while (at < end) {
    const type = record.readUInt16BE(at);
    const size = record.readUInt16BE(at + 2);
    const body = record.subarray(at + 4, at + 4 + size);
    if (body.length < size) return 'other';
    if (type === SERVER_NAME && size > 5 && body[2] === 0)
      host = body.toString('latin1', 5, 5 + body.readUInt16BE(3)).toLowerCase();
    if (type === ALPN) protocols = names(body.subarray(2));
    at += 4 + size;
  }
  return { host, protocols };
}

function names(list: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < list.length; at += 1 + (list[at] ?? 0))
    found.push(list.toString('latin1', at + 1, at + 1 + (list[at] ?? 0)));
  return found;
}
