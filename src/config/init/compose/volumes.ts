import { posix } from 'node:path';

import { parseFolder } from '../../values/folder.ts';
import { resolved } from './interpolate.ts';
import { isMap, listOf, scalarText } from './model.ts';
import type { ComposeContext, ComposeService } from './model.ts';

interface Volume {
  /** Null for one without a name. */
  source: string | null;
  target: string;
  readOnly: boolean;
  kind: 'volume' | 'bind' | 'tmpfs' | 'other';
}

/**
 * Folders below the one the program works in become `data`; all else that is mounted is named.
 * @param workdir The folder of the container in which the program runs; null when nothing says it.
 */
export function dataOf(
  service: ComposeService,
  workdir: string | null,
  dir: string,
  context: ComposeContext,
): string[] {
  const { name, raw } = service;
  const { note } = context;
  const data: string[] = [];
  const left: string[] = [];
  for (const each of listOf(raw['volumes'])) {
    const volume = volumeOf(each, context);
    if (volume === null) {
      note(`a volume of \`${name}\` cannot be read, and is left out`);
      continue;
    }
    const shown = volume.source === null ? volume.target : `${volume.source}:${volume.target}`;
    const inside = workdir === null ? null : below(workdir, volume.target);
    if (volume.kind === 'tmpfs') noteTmpfs(name, volume.target, note);
    else if (volume.kind === 'bind' && inside === '.' && folderIn(volume.source) === dir)
      note(`\`${name}\` had its sources mounted (${shown}); releases are made of copies, so this is left out`);
    else if (inside === null || inside === '.' || volume.readOnly || volume.kind === 'other') left.push(shown);
    else if (volume.source === null) note(`\`${name}\` needs no volume at ${inside}: releases do not share it`);
    else {
      data.push(inside);
      const from = volume.kind === 'bind' ? volume.source : `the volume ${volume.source}`;
      note(`\`${name}\` keeps ${inside} under \`data\`: copy there what ${from} holds`);
    }
  }
  if (left.length > 0)
    note(`the volumes of \`${name}\` are not carried over (${left.join(', ')}); list its folders under \`data\``);
  for (const each of listOf(raw['tmpfs'])) noteTmpfs(name, scalarText(each) ?? '', note);
  return data.filter(
    (folder, index) => !data.some((other, at) => isOuter(other, folder) || (other === folder && at < index)),
  );
}

const isOuter = (outer: string, inner: string): boolean => inner.startsWith(`${outer}/`);

function noteTmpfs(name: string, target: string, note: (text: string) => void): void {
  note(
    `the tmpfs ${target.split(':')[0] ?? ''} of \`${name}\` is left out: each instance has a folder of its own in $TMPDIR`,
  );
}

function volumeOf(written: unknown, { known }: ComposeContext): Volume | null {
  if (isMap(written)) {
    const target = scalarText(written['target']);
    const type = scalarText(written['type']) ?? 'volume';
    if (target === null) return null;
    const source = scalarText(written['source']);
    return {
      source: source === null ? null : resolved(source, known),
      target: resolved(target, known),
      readOnly: written['read_only'] === true,
      kind: type === 'volume' || type === 'bind' || type === 'tmpfs' ? type : 'other',
    };
  }
  const text = scalarText(written);
  if (text === null) return null;
  const parts = resolved(text, known).split(':');
  if (parts.length === 1) return { source: null, target: parts[0] ?? '', readOnly: false, kind: 'volume' };
  const [source = '', target = '', mode = ''] = parts;
  return {
    source,
    target,
    readOnly: mode.split(',').includes('ro'),
    kind: /^[./~]/.test(source) ? 'bind' : 'volume',
  };
}

/** `/app/storage` seen from `/app` -> `storage`; null when it lies elsewhere. */
function below(workdir: string, target: string): string | null {
  const way = posix.relative(workdir, target);
  return way === '' ? '.' : parseFolder(way);
}

function folderIn(source: string | null): string | null {
  return source === null ? null : parseFolder(source);
}
