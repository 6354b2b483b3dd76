import { padEnd, padStart, truncate, widthOf } from './text.ts';
import type { Style } from './style.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** Left out where the screen is too narrow for all; the highest first. Without it the column stays. */
  leaveOut?: number;
}

export interface TableOptions {
  style: Style;
  /** Cells of the terminal; Infinity: never cut. */
  columns: number;
  indent?: number;
}

const GAP = 2;

/**
 * Rows under their titles, as narrow as they can be. Columns without any content are left out, and as many of those
 * that may be as it takes to fit; the end of a line that is still too long is cut.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { style, columns: screen, indent = 0 }: TableOptions,
): string[] {
  const shown = fitting(
    columns.flatMap((column, index) => {
      const cells = rows.map((row) => row[index] ?? '');
      if (cells.every((cell) => cell === '')) return [];
      return [{ ...column, cells, width: Math.max(widthOf(column.title), ...cells.map(widthOf)) }];
    }),
    screen - indent,
  );
  const line = (cell: (column: Filled) => string): string => {
    const cells = shown.map((column, position) => {
      if (column.align === 'right') return padStart(cell(column), column.width);
      return position === shown.length - 1 ? cell(column) : padEnd(cell(column), column.width);
    });
    return truncate(`${' '.repeat(indent)}${cells.join(' '.repeat(GAP))}`.trimEnd(), screen);
  };
  return [line(({ title }) => style.dim(title)), ...rows.map((_, index) => line(({ cells }) => cells[index] ?? ''))];
}

interface Filled extends Column {
  cells: readonly string[];
  width: number;
}

function fitting(columns: readonly Filled[], screen: number): readonly Filled[] {
  const needed = columns.reduce((sum, { width }) => sum + width + GAP, -GAP);
  const order = Math.max(0, ...columns.map(({ leaveOut = 0 }) => leaveOut));
  if (needed <= screen || order === 0) return columns;
  return fitting(
    columns.filter(({ leaveOut = 0 }) => leaveOut < order),
    screen,
  );
}
