/** "Did you mean": the name in `known` that a person most probably wanted when typing `written`. */

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, at(beforePrevious, column - 2) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

/**
 * The closest known name, or null when none is close enough to be helpful: at most a third of the letters may differ.
 * Else the only one that begins with what was written, so `prod` finds `production`.
 * Case and the separators `-` and `_` cost nothing, so `rollback_window` finds `rollbackWindow`.
 */
export function suggest(written: string, known: Iterable<string>): string | null {
  const wanted = plain(written);
  // Nobody mistypes a name of this length, and the distance is quadratic.
  if (wanted.length > 64) return null;
  let best: string | null = null;
  let bestDistance = Infinity;
  const names = [...known];
  for (const name of names) {
    const candidate = plain(name);
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate);
    const allowed = Math.max(1, Math.floor(Math.max(candidate.length, wanted.length) / 3));
    if (distance <= allowed && distance < bestDistance && distance < Math.max(candidate.length, 2)) {
      best = name;
      bestDistance = distance;
    }
  }
  return best ?? (wanted.length < 3 ? null : onlyOne(names.filter((name) => plain(name).startsWith(wanted))));
}

const onlyOne = (names: readonly string[]): string | null => (names.length === 1 ? (names[0] ?? null) : null);

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
