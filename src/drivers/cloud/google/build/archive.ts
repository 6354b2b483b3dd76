import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { EvenkeelError } from '../../../../ports/errors.ts';
import { ignoredIn } from './ignored.ts';
import { padding, tarEnd, type TarEntry, tarHead } from './tar.ts';

export interface Archive {
  /** A file that is the caller's to delete. */
  file: string;
  bytes: number;
  /** Of the content: equal sources, equal digest. Hexadecimal. */
  digest: string;
  /** The Dockerfile's path in it. */
  dockerfile: string;
  files: number;
}

interface Item extends TarEntry {
  source: string;
}

const OUTSIDE = '.evenkeel-Dockerfile';

/**
 * Packs a build context into a `.tar.gz` in the folder for temporary files.
 *
 * @param leaveOut folders, relative to the context, of which nothing but their `package.json` is packed
 */
export async function packContext(
  context: string,
  dockerfile: string,
  signal: AbortSignal,
  leaveOut: readonly string[] = [],
): Promise<Archive> {
  const items = await itemsIn(context, leaveOut);
  const inside = relative(context, dockerfile).split(sep).join('/');
  const outside = inside.startsWith('../') || isAbsolute(inside);
  const packed = outside ? OUTSIDE : inside;
  // It is needed whatever is ignored.
  if (!items.some(({ path }) => path === packed))
    items.push(await itemOf(dockerfile, packed).catch(noDockerfile(dockerfile)));
  items.sort((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash('sha256');
  let bytes = 0;
  const file = join(tmpdir(), `evenkeel-source-${randomUUID()}.tar.gz`);
  try {
    await pipeline(
      Readable.from(blocksOf(items, (block) => hash.update(block))),
      createGzip({ level: 6 }),
      async function* counted(source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          bytes += chunk.length;
          yield chunk;
        }
      },
      createWriteStream(file, { mode: 0o600, flags: 'wx' }),
      { signal },
    );
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  return { file, bytes, digest: hash.digest('hex'), dockerfile: packed, files: items.length };
}

async function* blocksOf(items: readonly Item[], seen: (block: Buffer) => void): AsyncGenerator<Buffer> {
  const pass = (block: Buffer): Buffer => {
    seen(block);
    return block;
  };
  for (const item of items) {
    yield pass(tarHead(item));
    if (item.link !== null) continue;
    let read = 0;
    if (item.size > 0)
      for await (const chunk of createReadStream(item.source, { end: item.size - 1 })) {
        read += (chunk as Buffer).length;
        yield pass(chunk as Buffer);
      }
    // A file that shrank while it was read: what the head has promised must follow, and the digest would lie.
    if (read !== item.size) throw changedMeanwhile(item.path);
    yield pass(padding(item.size));
  }
  yield pass(tarEnd());
}

async function itemsIn(context: string, leaveOut: readonly string[]): Promise<Item[]> {
  const ignored = await ignoredIn(context);
  const isLeftOut = (path: string): boolean =>
    leaveOut.some(
      (folder) => path.startsWith(`${folder}/`) && !leaveOut.some((each) => path === `${each}/package.json`),
    );
  const items: Item[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(join(context, folder), { withFileTypes: true });
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!ignored.whole(`${path}/`)) await walk(path);
      } else if ((entry.isFile() || entry.isSymbolicLink()) && !ignored.out(path) && !isLeftOut(path))
        items.push(await itemOf(join(context, path), path));
    }
  };
  await walk('');
  return items;
}

async function itemOf(source: string, path: string): Promise<Item> {
  const { size, mode, ...kind } = await lstat(source).then(async (found) =>
    found.isSymbolicLink()
      ? { size: 0, mode: 0, link: await readlink(source) }
      : { size: (await stat(source)).size, mode: found.mode, link: null },
  );
  return { source, path, size, executable: (mode & 0o100) !== 0, link: kind.link };
}

const noDockerfile = (dockerfile: string) => (): never => {
  throw new EvenkeelError({
    code: 'cloud-no-dockerfile',
    what: `there is no Dockerfile at ${dockerfile}`,
    next: 'write one, or name another in evenkeel.yaml (dockerfile:)',
  });
};

const changedMeanwhile = (path: string): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-source-changed',
    what: `${path} changed while it was packed`,
    next: 'run the same again when nothing writes to the sources',
    retryable: true,
  });
