/** How the head of a request that goes upstream differs from what the client sent. */
export interface HeadEdits {
  /** Lower case; also in the spelling with underscores. */
  readonly drop: ReadonlySet<string>;
  /** Whole lines, each with its line break. */
  readonly add: string;
}

const NOTHING: HeadEdits = { drop: new Set(), add: '' };

export function combine(one: HeadEdits | null, other: HeadEdits | null): HeadEdits {
  const [first, second] = [one ?? NOTHING, other ?? NOTHING];
  return { drop: new Set([...first.drop, ...second.drop]), add: first.add + second.add };
}

export const isDropped = ({ drop }: HeadEdits, lower: string): boolean =>
  drop.has(lower) || (lower.includes('_') && drop.has(lower.replaceAll('_', '-')));
