/** Inclusive byte positions. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** More ranges than any player asks for: the whole file is sent instead. */
const MAX_RANGES = 16;

/**
 * Reads a `Range` header for a file of `size` bytes: the ranges to send, `null` to send everything (no, foreign or
 * malformed header, or too many ranges), or `unsatisfiable` when none lies within the file.
 */
export function parseRanges(header: string | undefined, size: number): ByteRange[] | null | 'unsatisfiable' {
  const list = /^bytes=(.*)$/i.exec(header ?? '')?.[1];
  if (list === undefined) return null;
  const specs = list.split(',').map((spec) => /^\s*(\d*)-(\d*)\s*$/.exec(spec));
  if (specs.length > MAX_RANGES) return null;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const first = spec?.[1] ?? '';
    const last = spec?.[2] ?? '';
    if (first === '' && last === '') return null;
    if (first !== '' && last !== '' && Number(first) > Number(last)) return null;
    const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
    const to = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
    if (from < size && from <= to) ranges.push({ from, to });
  }
  if (ranges.length === 0) return 'unsatisfiable';
  // Overlapping ranges that sum to more than the file are a way to make a server work; the file itself is shorter.
  const asked = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return ranges.length > 1 && asked > size ? null : ranges;
}
