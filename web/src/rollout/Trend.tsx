import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { axisStyle, colour } from '../ui/chart-style.ts';
import { timeOfDay } from '../ui/times.ts';
import type { Sample } from './use-samples.ts';
import styles from './Trend.module.css';

interface Props {
  name: string;
  samples: readonly Sample[];
  limit: number | null;
  /** Of a value on the axis. */
  format: (value: number) => string;
}

const HEIGHT = 120;

/** Canary and baseline as curves, as far as this page has seen them. */
export function Trend({ name, samples, limit, format }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme();

  useEffect(() => {
    const place = box.current;
    if (place === null) return;
    const axis = axisStyle();
    const created = new uPlot(
      {
        width: Math.max(120, place.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 4, 0, 0],
        scales: { y: { range: (_, __, max) => [0, max === 0 || max === null ? 1e-3 : max * 1.15] } },
        axes: [
          {
            ...axis,
            values: (_, splits) => splits.map((at) => timeOfDay(at * 1000)),
            space: 90,
            size: 26,
            grid: { show: false },
          },
          { ...axis, values: (_, splits) => splits.map(format), size: 58, space: 34 },
        ],
        series: [
          {},
          { stroke: colour('--baseline'), width: 1.5, points: { show: false } },
          { stroke: colour('--accent'), width: 2, points: { show: false } },
          { stroke: colour('--crit'), width: 1, dash: [4, 4], points: { show: false } },
        ],
      },
      [[], [], [], []],
      place,
    );
    plot.current = created;
    const resized = new ResizeObserver(() =>
      created.setSize({ width: Math.max(120, place.clientWidth), height: HEIGHT }),
    );
    resized.observe(place);
    return () => {
      resized.disconnect();
      created.destroy();
      plot.current = null;
    };
  }, [scheme, format]);

  useEffect(() => {
    const peak = Math.max(0, ...samples.flatMap(({ canary, baseline }) => [canary ?? 0, baseline ?? 0]));
    // A limit far above everything would press the curves flat.
    const shown = limit !== null && limit < peak * 4 ? limit : null;
    plot.current?.setData([
      samples.map(({ at }) => at / 1000),
      samples.map(({ baseline }) => baseline),
      samples.map(({ canary }) => canary),
      samples.map(() => shown),
    ]);
  }, [samples, limit, scheme, format]);

  const last = samples.at(-1);
  const said = (value: number | null | undefined): string =>
    value === null || value === undefined ? 'not measured' : format(value);
  return (
    <figure className={styles['trend']}>
      <figcaption>
        {name} <span className="muted">since this page was opened</span>
      </figcaption>
      <div
        ref={box}
        role="img"
        aria-label={`${name}: canary ${said(last?.canary)}, baseline ${said(last?.baseline)}`}
      />
    </figure>
  );
}
