const BLOCK = 512;

export interface TarEntry {
  /** With `/`, relative. */
  path: string;
  /** Bytes of its content; 0 for a link. */
  size: number;
  executable: boolean;
  /** Where a symbolic link leads; null for a file. */
  link: string | null;
}

/**
 * The head of an entry. Times, owners and all other modes are left out, so that the same files give the same archive
 * anywhere. Paths that the old format has no room for get an extended head before it.
 */
export function tarHead(entry: TarEntry): Buffer {
  const long = Buffer.byteLength(entry.path) > 100 || Buffer.byteLength(entry.link ?? '') > 100;
  const odd = /[^\x20-\x7e]/.test(entry.path + (entry.link ?? ''));
  if (!long && !odd && entry.size < 8 ** 11) return head(entry, entry.link === null ? '0' : '2');
  const records = Buffer.concat([
    record('path', entry.path),
    ...(entry.link === null ? [] : [record('linkpath', entry.link)]),
    record('size', String(entry.size)),
  ]);
  const extended = head({ path: 'pax', size: records.length, executable: false, link: null }, 'x');
  const short = { ...entry, path: entry.path.slice(-60), link: entry.link === null ? null : entry.link.slice(-60) };
  return Buffer.concat([extended, records, padding(records.length), head(short, entry.link === null ? '0' : '2')]);
}

/** What fills the last block of a content of this size. */
export const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

export const tarEnd = (): Buffer => Buffer.alloc(BLOCK * 2);

function head({ path, size, executable, link }: TarEntry, type: '0' | '2' | 'x'): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, 100);
  block.write(executable ? '0000755\0' : '0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${(size < 8 ** 11 ? size : 0).toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(link ?? '', 157, 100);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** `LENGTH key=value\n`, where the length counts itself. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}
