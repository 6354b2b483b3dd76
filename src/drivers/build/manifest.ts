import { createHash } from 'node:crypto';

/** One thing in a tree of files. Paths are relative, with forward slashes. */
export type Entry =
  | { kind: 'file'; path: string; executable: boolean; size: number; sha: string }
  | { kind: 'link'; path: string; to: string }
  | { kind: 'folder'; path: string };

export type FileEntry = Extract<Entry, { kind: 'file' }>;

/** What a tree of files holds, sorted by path. Its text is the same for the same files, and its digest names them. */
export interface Manifest {
  entries: Entry[];
  text: string;
  /** Hex SHA-256 of the text. */
  digest: string;
}

type Line =
  | [kind: 'file', path: string, executable: 0 | 1, size: number, sha: string]
  | [kind: 'link', path: string, to: string]
  | [kind: 'folder', path: string];

export function manifestOf(entries: readonly Entry[]): Manifest {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const text = sorted.map((entry) => `${JSON.stringify(line(entry))}\n`).join('');
  return { entries: sorted, text, digest: sha256(text) };
}

/** Null when it is not the manifest of this digest: damaged, or cut off. */
export function parseManifest(text: string, digest: string): Manifest | null {
  // What has the right digest was written by `manifestOf`: its shape needs no second look.
  if (sha256(text) !== digest) return null;
  const lines = JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Line[];
  return { entries: lines.map(fromLine), text, digest };
}

/** Its files alone, without links and empty folders. */
export const filesOf = ({ entries }: Manifest): { path: string; size: number; sha: string }[] =>
  entries.flatMap((entry) => (entry.kind === 'file' ? [{ path: entry.path, size: entry.size, sha: entry.sha }] : []));

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function line(entry: Entry): Line {
  switch (entry.kind) {
    case 'file':
      return ['file', entry.path, entry.executable ? 1 : 0, entry.size, entry.sha];
    case 'link':
      return ['link', entry.path, entry.to];
    case 'folder':
      return ['folder', entry.path];
  }
}

function fromLine(line: Line): Entry {
  switch (line[0]) {
    case 'file':
      return { kind: 'file', path: line[1], executable: line[2] === 1, size: line[3], sha: line[4] };
    case 'link':
      return { kind: 'link', path: line[1], to: line[2] };
    case 'folder':
      return { kind: 'folder', path: line[1] };
  }
}
