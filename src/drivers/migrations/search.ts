import { readFileSync } from 'node:fs';
import type { Use } from '../../domain/migration/finding.ts';
import type { ReadFile, UsesOf } from '../../domain/migration/judge.ts';
import { formsOf, linesNaming } from '../../domain/migration/names.ts';
import type { PlacedFile } from '../../ports/migrations.ts';
import type { ReaderLimits } from './limits.ts';

/** So many places say enough. */
const MOST_USES = 3;

/** Looks through sources once, for every name that the statements take something away from. */
export function searchSources(
  files: readonly ReadFile[],
  sources: readonly PlacedFile[],
  limits: ReaderLimits,
): UsesOf {
  const names = files.flatMap(({ statements }) =>
    statements.flatMap(({ facts }) => facts?.effects.flatMap((effect) => effect.names) ?? []),
  );
  const words = new Set(names.flatMap(formsOf));
  const found = new Map<string, Use[]>();
  const until = performance.now() + limits.searchMs;
  let left = limits.allSourceBytes;
  let whole = true;
  for (const { path, absolute, size } of words.size === 0 ? [] : sources) {
    left -= size;
    if (size > limits.sourceBytes || left < 0 || performance.now() > until) whole = false;
    else whole = note(found, words, path, absolute) && whole;
  }
  return (asked) => {
    const uses = asked.flatMap(formsOf).flatMap((form) => found.get(form) ?? []);
    return uses.length > 0 || whole ? distinct(uses).slice(0, MOST_USES) : null;
  };
}

/** Answers whether the file could be read. */
function note(found: Map<string, Use[]>, words: ReadonlySet<string>, path: string, absolute: string): boolean {
  try {
    for (const { word, line, text } of linesNaming(readFileSync(absolute, 'utf8'), words)) {
      const uses = found.get(word) ?? [];
      found.set(word, uses);
      if (uses.length < MOST_USES) uses.push({ file: path, line, text });
    }
    return true;
  } catch {
    return false;
  }
}

const distinct = (uses: readonly Use[]): Use[] => [
  ...new Map(uses.map((use) => [`${use.file}:${use.line}`, use])).values(),
];
