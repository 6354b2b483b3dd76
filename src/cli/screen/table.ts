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
/** A name may be cut to this many cells; the id of a rollout, which is copied, is shorter. */
const ENOUGH = 24;

/**
 * Rows under their titles, as narrow as they can be. Columns without any content are left out, and as many of those
 * that may be as it takes to fit; then long names are cut, so that what stands behind them is still seen, and at last
 * the end of the line.
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
      const text = truncate(cell(column), column.width);
      if (column.align === 'right') return padStart(text, column.width);
      return position === shown.length - 1 ? text : padEnd(text, column.width);
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
  if (needed <= screen) return columns;
  if (order === 0) return shrunk(columns, needed - screen);
  return fitting(
    columns.filter(({ leaveOut = 0 }) => leaveOut < order),
    screen,
  );
}

/** Takes `excess` cells from the widest columns, as far as they hold more than anybody reads at a glance. */
function shrunk(columns: readonly Filled[], excess: number): readonly Filled[] {
  const widest = Math.max(...columns.map(({ width }) => width));
  if (excess <= 0 || widest <= ENOUGH) return columns;
  const next = Math.max(ENOUGH, ...columns.map(({ width }) => width).filter((width) => width < widest));
  const many = columns.filter(({ width }) => width === widest).length;
  const width = Math.max(next, widest - Math.ceil(excess / many));
  const narrower = columns.map((column) => (column.width === widest ? { ...column, width } : column));
  return shrunk(narrower, excess - many * (widest - width));
}
