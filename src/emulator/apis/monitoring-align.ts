import { notModelled } from '../core/google-error.ts';
import type { JsonObject } from '../json.ts';

export interface Point {
  /** ms. */
  from: number;
  to: number;
  /** A number, or the measurements of a distribution. */
  value: number | number[];
  /** A value at a moment, such as a percentile, and no count over an interval. */
  gauge?: boolean;
}

export interface Series {
  /** Labels of metric and resource. */
  row: JsonObject;
  points: Point[];
}

interface Alignment {
  aligner: string;
  period: number;
  start: number;
  end: number;
}

/** One point for each period that has any, periods counted back from the end of the interval. */
export function align({ row, points }: Series, { aligner, period, start, end }: Alignment): Series {
  const aligned: Point[] = [];
  for (let to = end; to > start; to -= period) {
    const within = points.filter((point) => point.to > to - period && point.to <= to);
    if (within.length === 0) continue;
    const value = alignedValue(aligner, within, period);
    aligned.push({ from: to - period, to, value, ...(isGauge(aligner) ? { gauge: true } : {}) });
  }
  return { row, points: aligned };
}

const isGauge = (aligner: string): boolean => !/^ALIGN_(DELTA|SUM)$/.test(aligner);

function alignedValue(aligner: string, points: readonly Point[], period: number): number | number[] {
  const single = points.flatMap(({ value }) => value);
  const distribution = points.some(({ value }) => Array.isArray(value));
  const percentile = /^ALIGN_PERCENTILE_(\d+)$/.exec(aligner)?.[1];
  if (percentile !== undefined) return quantile(single, Number(percentile) / 100);
  switch (aligner) {
    case 'ALIGN_DELTA':
    case 'ALIGN_SUM':
      return distribution ? single : sum(single);
    case 'ALIGN_RATE':
      return (distribution ? single.length : sum(single)) / (period / 1000);
    default:
      return plain(aligner.replace('ALIGN_', ''), single);
  }
}

/** Points of the same end joined over all series. */
export function reduce(series: readonly Series[], reducer: string): Point[] {
  const ends = new Map<number, Point[]>();
  for (const point of series.flatMap(({ points }) => points))
    ends.set(point.to, [...(ends.get(point.to) ?? []), point]);
  return [...ends.values()].flatMap((points) => {
    const [first] = points;
    if (first === undefined) return [];
    const single = points.flatMap(({ value }) => value);
    const distribution = points.some(({ value }) => Array.isArray(value));
    const percentile = /^REDUCE_PERCENTILE_(\d+)$/.exec(reducer)?.[1];
    if (percentile !== undefined) return [{ ...first, value: quantile(single, Number(percentile) / 100), gauge: true }];
    if (reducer === 'REDUCE_SUM') return [{ ...first, value: distribution ? single : sum(single) }];
    return [{ ...first, value: plain(reducer.replace('REDUCE_', ''), single), gauge: true }];
  });
}

function plain(name: string, values: readonly number[]): number {
  switch (name) {
    case 'MEAN':
      return sum(values) / values.length;
    case 'MIN':
      return Math.min(...values);
    case 'MAX':
      return Math.max(...values);
    case 'COUNT':
      return values.length;
    default:
      throw notModelled(`the aggregation ${name}`);
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
}
