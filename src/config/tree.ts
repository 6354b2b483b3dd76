import type { Place } from './problem.ts';

/**
 * The content of `evenkeel.yaml` with the place of everything in it. Validation happens on plain values; the tree
 * answers where a value came from, also after variables were filled in and environments merged over services.
 */
export type Tree = MapTree | ListTree | ScalarTree;

interface Located {
  /** Keys from the top of the file to where this was written (a merged value keeps its own). */
  path: readonly string[];
  /** Where the value begins. */
  place: Place;
}

export interface MapTree extends Located {
  kind: 'map';
  entries: Map<string, Entry>;
}

export interface Entry {
  /** Where the key begins. */
  place: Place;
  value: Tree;
}

export interface ListTree extends Located {
  kind: 'list';
  items: Tree[];
}

export interface ScalarTree extends Located {
  kind: 'scalar';
  value: string | number | boolean | null;
  /** As written, without quotes: `1.10` stays `1.10`, which the number would not. */
  source: string;
  /** Came from a variable: its value must not be shown, and it is text, whatever it holds. */
  filledFrom: string | null;
}

/** Plain objects and lists, for validation. */
export function toPlain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toPlain);
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, toPlain(entry.value)]));
}

export function child(tree: Tree | undefined, key: string): Tree | undefined {
  if (tree?.kind === 'map') return tree.entries.get(key)?.value;
  if (tree?.kind === 'list') return tree.items[Number(key)];
  return undefined;
}

export function descend(tree: Tree | undefined, path: readonly PropertyKey[]): Tree | undefined {
  return path.reduce<Tree | undefined>((at, key) => child(at, String(key)), tree);
}

/** The deepest existing thing on the way to `path`: what a missing key is reported at. */
export function nearest(tree: Tree, path: readonly PropertyKey[]): Tree {
  let at = tree;
  for (const key of path) {
    const next = child(at, String(key));
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

/** Where the key at the end of `path` is written; for list items and missing keys the place of the value around. */
export function keyPlace(tree: Tree, path: readonly PropertyKey[]): Place {
  const parent = nearest(tree, path.slice(0, -1));
  const last = path.at(-1);
  if (parent.kind === 'map' && last !== undefined) {
    const entry = parent.entries.get(String(last));
    if (entry !== undefined) return entry.place;
  }
  return nearest(tree, path).place;
}

/**
 * `over` laid over `base`: maps are merged key by key, everything else is replaced, `null` takes the key away. Both
 * stay as they are.
 */
export function overlay(base: Tree | undefined, over: Tree | undefined): Tree | undefined {
  if (over === undefined) return base;
  if (over.kind === 'scalar' && over.value === null) return undefined;
  if (over.kind !== 'map' || base?.kind !== 'map') return over.kind === 'map' ? withoutNulls(over) : over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const merged = overlay(entries.get(key)?.value, entry.value);
    if (merged === undefined) entries.delete(key);
    else entries.set(key, { place: entry.place, value: merged });
  }
  return { ...base, entries };
}

function withoutNulls(map: MapTree): MapTree {
  const entries = new Map<string, Entry>();
  for (const [key, entry] of map.entries) {
    const value = overlay(undefined, entry.value);
    if (value !== undefined) entries.set(key, { place: entry.place, value });
  }
  return { ...map, entries };
}

/** Calls `visit` for every scalar, in the order of the file. */
export function eachScalar(tree: Tree, visit: (scalar: ScalarTree) => void): void {
  if (tree.kind === 'scalar') visit(tree);
  else if (tree.kind === 'list') for (const item of tree.items) eachScalar(item, visit);
  else for (const entry of tree.entries.values()) eachScalar(entry.value, visit);
}

/** The same tree with every scalar replaced by `change(scalar)`. */
export function mapScalars(tree: Tree, change: (scalar: ScalarTree) => ScalarTree): Tree {
  if (tree.kind === 'scalar') return change(tree);
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item) => mapScalars(item, change)) };
  const entries = new Map<string, Entry>();
  for (const [key, entry] of tree.entries) {
    entries.set(key, { place: entry.place, value: mapScalars(entry.value, change) });
  }
  return { ...tree, entries };
}
