/** The first packets of a connection to Postgres, as far as a proxy has to understand them. */
export type FirstPacket =
  /** Not all of it is there yet. */
  | { kind: 'incomplete' }
  /** Asks whether the connection may be encrypted; what follows is another first packet. */
  | { kind: 'encryption'; length: number }
  | { kind: 'startup'; length: number; values: Record<string, string> }
  /** Anything else, such as a cancel. */
  | { kind: 'other' };

const VERSION_3 = 196_608;
const SSL = 80_877_103;
const GSS = 80_877_104;

export function firstPacket(bytes: Buffer): FirstPacket {
  if (bytes.length < 8) return { kind: 'incomplete' };
  const length = bytes.readInt32BE(0);
  if (length < 8 || length > 10_000) return { kind: 'other' };
  if (bytes.length < length) return { kind: 'incomplete' };
  const code = bytes.readInt32BE(4);
  if (code === SSL || code === GSS) return { kind: 'encryption', length };
  if (code !== VERSION_3) return { kind: 'other' };
  const parts = bytes.subarray(8, length).toString('utf8').split('\0');
  const values: Record<string, string> = {};
  for (let at = 0; at + 1 < parts.length && parts[at] !== ''; at += 2) values[parts[at] ?? ''] = parts[at + 1] ?? '';
  return { kind: 'startup', length, values };
}

export function startupPacket(values: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(
    `${Object.entries(values)
      .map(([name, value]) => `${name}\0${value}\0`)
      .join('')}\0`,
  );
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(VERSION_3, 4);
  return Buffer.concat([head, body]);
}
