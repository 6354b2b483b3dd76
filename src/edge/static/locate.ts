import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A file that may be served. */
export interface Located {
  /** Real path, links resolved, within the root. */
  readonly path: string;
  readonly size: number;
  readonly etag: string;
  /** Whole seconds since 1970. */
  readonly modified: number;
}

export type Location =
  | { readonly kind: 'file'; readonly file: Located }
  | { readonly kind: 'folder' }
  | { readonly kind: 'none' };

const NONE: Location = { kind: 'none' };
const FOLDER: Location = { kind: 'folder' };

/** Up to here the ETag is of the content, so that an unchanged file keeps it from release to release. */
const HASHED_BYTES = 1024 * 1024;
const CACHED_FILES = 2_000;

/** The path of a URL as segments, decoded; null for what no honest client sends (a way out of the root, a NUL). */
export function segmentsOf(urlPath: string): string[] | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  if (decoded.includes('\0') || decoded.includes('\\')) return null;
  const segments = decoded.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.includes('..') ? null : segments;
}

/** What begins with a dot is for tools (`.git`, `.env`, `.htaccess`), save what the web itself put there. */
const isHidden = (segment: string): boolean => segment.startsWith('.') && segment !== '.well-known';

/** Finds files below one immutable folder and remembers what it found; what is missing may not stay so elsewhere. */
export class Locator {
  readonly #root: string;
  #realRoot: string | null = null;
  readonly #known = new Map<string, Located>();

  constructor(root: string) {
    this.#root = root;
  }

  async find(segments: readonly string[]): Promise<Location> {
    if (segments.some(isHidden)) return NONE;
    const name = segments.join('/');
    const known = this.#known.get(name);
    if (known !== undefined) return { kind: 'file', file: known };
    try {
      this.#realRoot ??= await realpath(this.#root);
      const path = await realpath(join(this.#realRoot, ...segments));
      // A link may lead anywhere; only what lies below the root is served.
      if (path !== this.#realRoot && !path.startsWith(this.#realRoot + sep)) return NONE;
      const info = await stat(path);
      if (info.isDirectory()) return FOLDER;
      if (!info.isFile()) return NONE;
      const modified = Math.floor(info.mtimeMs / 1000);
      const etag =
        info.size <= HASHED_BYTES
          ? `"${createHash('sha256')
              .update(await readFile(path))
              .digest('base64url')
              .slice(0, 22)}"`
          : `"${info.size.toString(36)}-${Math.floor(info.mtimeMs).toString(36)}-${info.ino.toString(36)}"`;
      const file = { path, size: info.size, etag, modified };
      if (this.#known.size >= CACHED_FILES) this.#known.clear();
      this.#known.set(name, file);
      return { kind: 'file', file };
    } catch {
      return NONE; // missing, unreadable, a name too long: all the same to a client
    }
  }
}
