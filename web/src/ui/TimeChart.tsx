import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { axisStyle, colour } from './chart-style.ts';
import { dateAndTime, timeOfDay } from './times.ts';
import styles from './TimeChart.module.css';

export interface ChartLine {
  name: string;
  /** Null: nothing was seen. */
  values: readonly (number | null)[];
  /** A colour token, such as `--accent`. */
  colour: string;
}

export interface ChartLimit {
  name: string;
  value: number;
  /** A limit that is far above everything is said, and not drawn, unless it has to be. */
  always?: boolean;
}

export interface ChartMark {
  at: number;
  text: string;
  bad: boolean;
}

interface Props {
  name: string;
  /** Begin of each piece, ms since 1970. */
  times: readonly number[];
  lines: readonly ChartLine[];
  limits?: readonly ChartLimit[];
  marks?: readonly ChartMark[];
  format: (value: number) => string;
  height?: number;
}

const DAY = 86_400_000;
/** So many times above the peak a limit would press the curves flat. */
const FAR = 3;

/** Curves over time, with limits as dashed lines, and what happened as marks. What lies under the cursor is said above. */
export function TimeChart({ name, times, lines, limits = [], marks = [], format, height = 160 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef<{ marks: readonly ChartMark[]; top: number }>({ marks, top: 1 });
  const [at, setAt] = useState<number | null>(null);
  const scheme = useComputedColorScheme();
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const long = span > DAY;
  const peak = Math.max(0, ...lines.flatMap(({ values }) => values.map((each) => each ?? 0)));
  const drawn = limits.filter(({ value, always = false }) => always || value <= peak * FAR);
  const top = Math.max(peak, ...drawn.map(({ value }) => value)) * 1.15 || 1;
  latest.current = { marks, top };
  const shape = JSON.stringify([lines.map(({ name: each, colour }) => [each, colour]), drawn.length, long]);
  const data = useMemo(
    (): uPlot.AlignedData => [
      times.map((each) => each / 1000),
      ...lines.map(({ values }) => [...values]),
      ...drawn.map(({ value }) => times.map(() => value)),
    ],
    // eslint-disable-next-line -- drawn follows from lines and limits
    [times, lines, drawn],
  );

  useEffect(() => {
    const place = box.current;
    if (place === null) return undefined;
    const [named, limitCount, days] = JSON.parse(shape) as [[string, string][], number, boolean];
    const axis = axisStyle();
    const created = new uPlot(
      {
        width: Math.max(120, place.clientWidth),
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        padding: [10, 6, 0, 0],
        scales: { y: { range: () => [0, latest.current.top] } },
        axes: [
          {
            ...axis,
            values: (_, splits) =>
              splits.map((each) => (days ? dateAndTime(each * 1000) : timeOfDay(each * 1000).slice(0, 5))),
            space: days ? 110 : 70,
            size: 26,
            grid: { show: false },
          },
          { ...axis, values: (_, splits) => splits.map(format), size: 66, space: 34 },
        ],
        series: [
          {},
          ...named.map(([label, token]) => ({
            label,
            stroke: colour(token),
            width: 1.6,
            points: { show: true, size: 4, fill: colour(token), filter: alone },
          })),
          ...Array.from({ length: limitCount }, () => ({
            stroke: colour('--crit'),
            width: 1,
            dash: [4, 4],
            points: { show: false },
          })),
        ],
        hooks: {
          setCursor: [({ cursor }) => setAt(cursor.idx ?? null)],
          draw: [(chart) => drawMarks(chart, latest.current.marks, { good: colour('--muted'), bad: colour('--crit') })],
        },
      },
      [[], ...named.map(() => []), ...Array.from({ length: limitCount }, () => [])],
      place,
    );
    plot.current = created;
    const resized = new ResizeObserver(() => created.setSize({ width: Math.max(120, place.clientWidth), height }));
    resized.observe(place);
    return () => {
      resized.disconnect();
      created.destroy();
      plot.current = null;
    };
  }, [scheme, format, height, shape]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, marks, scheme, format, height, shape]);

  const index = at !== null && at < times.length ? at : null;
  const seen = lines.some(({ values }) => values.some((each) => each !== null));
  return (
    <figure className={styles['chart']}>
      <figcaption>
        <span className={styles['name']}>{name}</span>
        {lines.map(({ name: line, values, colour }) => (
          <span key={line} className={styles['line']}>
            <svg viewBox="0 0 14 4" width="14" height="4" aria-hidden="true">
              <path d="M0 2h14" stroke={`var(${colour})`} strokeWidth="2.5" />
            </svg>
            {line} <strong>{said(index === null ? lastOf(values) : (values[index] ?? null), format)}</strong>
          </span>
        ))}
        {limits.map(({ name: limit, value }) => (
          <span key={limit} className={styles['line']}>
            <svg viewBox="0 0 14 4" width="14" height="4" aria-hidden="true">
              <path d="M0 2h14" stroke="var(--crit)" strokeWidth="1.5" strokeDasharray="3 2" />
            </svg>
            {limit} {format(value)}
          </span>
        ))}
        <span className={styles['at']}>{index === null ? '' : dateAndTime(times[index] ?? 0)}</span>
      </figcaption>
      <div className={styles['frame']}>
        <div
          ref={box}
          role="img"
          aria-label={`${name}: ${lines.map(({ name: line, values }) => `${line} ${said(lastOf(values), format)} at last, ${said(highest(values), format)} at most`).join('; ')}`}
        />
        {!seen && <p className={styles['none']}>Nothing was measured in this time.</p>}
      </div>
    </figure>
  );
}

function drawMarks(chart: uPlot, marks: readonly ChartMark[], colours: { good: string; bad: string }): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${10 * devicePixelRatio}px sans-serif`;
  ctx.textBaseline = 'top';
  let free = bbox.left + bbox.width;
  for (const { at, text, bad } of marks.toReversed()) {
    const x = Math.round(chart.valToPos(at / 1000, 'x', true));
    if (!Number.isFinite(x) || x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = ctx.fillStyle = bad ? colours.bad : colours.good;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    // Of words that would lie on each other the newest are there; the others are in the list below the charts.
    const width = ctx.measureText(text).width;
    const left = x + width + 6 > bbox.left + bbox.width ? x - width - 4 : x + 4;
    if (left + width > free) continue;
    ctx.fillText(text, left, bbox.top);
    free = Math.min(left, x) - 4;
  }
  ctx.restore();
}

/** A value between two gaps would be a line without a length: those are drawn as points. */
function alone(chart: uPlot, line: number): number[] {
  const values = chart.data[line] ?? [];
  return [...values.keys()].filter(
    (index) =>
      (values[index] ?? null) !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null,
  );
}

const said = (value: number | null, format: (value: number) => string): string =>
  value === null ? '–' : format(value);
const lastOf = (values: readonly (number | null)[]): number | null => values.findLast((each) => each !== null) ?? null;
const highest = (values: readonly (number | null)[]): number | null => {
  const seen = values.filter((each) => each !== null);
  return seen.length === 0 ? null : Math.max(...seen);
};
