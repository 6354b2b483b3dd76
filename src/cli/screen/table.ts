import { padEnd, padStart, truncate, widthOf } from './text.ts';
import type { Style } from './style.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

export interface TableOptions {
  style: Style;
  /** Cells of the terminal; Infinity: never cut. */
  columns: number;
  indent?: number;
}

const GAP = 2;

/** Rows under their titles, as narrow as they can be. Columns without any content are left out; the last one is cut. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const shown = columns.flatMap((column, index) =>
    rows.some((row) => (row[index] ?? '') !== '') ? [{ ...column, index }] : [],
  );
  const widths = shown.map(({ title, index }) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index] ?? ''))),
  );
  const line = (cell: (column: (typeof shown)[number]) => string): string => {
    const cells = shown.map((column, position) => {
      const width = widths[position] ?? 0;
      if (column.align === 'right') return padStart(cell(column), width);
      return position === shown.length - 1 ? cell(column) : padEnd(cell(column), width);
    });
    return truncate(`${' '.repeat(options.indent ?? 0)}${cells.join(' '.repeat(GAP))}`.trimEnd(), options.columns);
  };
  return [line(({ title }) => options.style.dim(title)), ...rows.map((row) => line(({ index }) => row[index] ?? ''))];
}
