import type { Level } from './State.tsx';
import styles from './Spark.module.css';

interface Props {
  /** Oldest first; null: nothing was seen. */
  points: readonly (number | null)[];
  /** What it says, for whoever does not see it. */
  label: string;
  level?: Level;
  /** A line that it should stay below; not drawn where it would press the curve flat. */
  target?: number | null;
  /** What is at the top at least, so that little does not look like much. */
  atLeast?: number;
}

const WIDTH = 120;
const HEIGHT = 32;
/** Half a line, so that it is not cut at the edges. */
const EDGE = 1.5;
/** A target this many times above the peak is out of sight. */
const FAR = 3;

/** A small curve without axes: how it went, not how much it was. Where nothing was seen there is a gap. */
export function Spark({ points, label, level = 'unknown', target = null, atLeast = 0 }: Props) {
  const peak = Math.max(0, ...points.map((each) => each ?? 0));
  const shown = target !== null && target <= peak * FAR ? target : null;
  const top = Math.max(peak, shown ?? 0, atLeast) || 1;
  const y = (value: number): number => HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE);
  const step = WIDTH / Math.max(1, points.length - 1);
  const parts = piecesOf(points);
  return (
    <svg
      className={`${styles['spark']} ${styles[level] ?? ''}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {shown !== null && <line className={styles['target']} x1="0" x2={WIDTH} y1={y(shown)} y2={y(shown)} />}
      {parts.map(({ from, values }) => {
        const [first = 0] = values;
        // A single minute between two gaps would be a line without a length.
        const line =
          values.length === 1
            ? `M${Math.max(0, from * step - 1)} ${y(first)}h2`
            : `M${values.map((value, index) => `${((from + index) * step).toFixed(1)} ${y(value).toFixed(1)}`).join('L')}`;
        return (
          <g key={from}>
            {values.length > 1 && (
              <path
                className={styles['area']}
                d={`${line}L${((from + values.length - 1) * step).toFixed(1)} ${HEIGHT}L${(from * step).toFixed(1)} ${HEIGHT}z`}
              />
            )}
            <path className={styles['line']} d={line} />
          </g>
        );
      })}
    </svg>
  );
}

/** What lies between gaps. */
function piecesOf(points: readonly (number | null)[]): { from: number; values: number[] }[] {
  const pieces: { from: number; values: number[] }[] = [];
  let open: { from: number; values: number[] } | null = null;
  for (const [index, value] of points.entries()) {
    if (value === null) open = null;
    else if (open === null) pieces.push((open = { from: index, values: [value] }));
    else open.values.push(value);
  }
  return pieces;
}
