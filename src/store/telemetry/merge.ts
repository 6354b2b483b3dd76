import { add, fromCounts, toCounts } from '../../lib/histogram.ts';
import type { EdgeSample, InstanceSample, Resolution } from '../../ports/store.ts';

const MINUTE = 60_000;

/** Several samples of an instance as one row: sums, so that rows can be added up again, and the highest values. */
export interface InstanceTotals {
  at: number;
  key: string;
  instance: string;
  release: string;
  samples: number;
  cpuSum: number;
  memorySum: number;
  cpuMax: number;
  memoryMax: number;
}

/** Where a sample belongs at a resolution: as it was taken, or in the minute that it lies in. */
export const placeAt = (at: number, resolution: Resolution): number =>
  resolution === '10s' ? at : Math.floor(at / MINUTE) * MINUTE;

/** One sample for each key, time and release: what several edges, or six times ten seconds, have seen. */
export function mergeEdge(samples: readonly EdgeSample[], resolution: Resolution): EdgeSample[] {
  return merged(
    samples.map((sample) => ({ ...sample, at: placeAt(sample.at, resolution) })),
    (sample) => sample.release,
    addEdge,
  );
}

export function mergeInstances(samples: readonly InstanceSample[], resolution: Resolution): InstanceTotals[] {
  const single = samples.map(({ cpu, memory, ...sample }) => ({
    ...sample,
    at: placeAt(sample.at, resolution),
    samples: 1,
    cpuSum: cpu,
    memorySum: memory,
    cpuMax: cpu,
    memoryMax: memory,
  }));
  return merged(single, (sample) => sample.instance, addInstance);
}

export function addEdge(a: EdgeSample, b: EdgeSample): EdgeSample {
  const ttfb = fromCounts(a.ttfb);
  add(ttfb, fromCounts(b.ttfb));
  const longer = a.classes.length >= b.classes.length ? a.classes : b.classes;
  return {
    ...a,
    requests: a.requests + b.requests,
    bad: a.bad + b.bad,
    classes: longer.map((_, index) => (a.classes[index] ?? 0) + (b.classes[index] ?? 0)),
    ttfb: toCounts(ttfb),
  };
}

export function addInstance(a: InstanceTotals, b: InstanceTotals): InstanceTotals {
  return {
    ...a,
    samples: a.samples + b.samples,
    cpuSum: a.cpuSum + b.cpuSum,
    memorySum: a.memorySum + b.memorySum,
    cpuMax: Math.max(a.cpuMax, b.cpuMax),
    memoryMax: Math.max(a.memoryMax, b.memoryMax),
  };
}

function merged<T extends { key: string; at: number }>(
  samples: readonly T[],
  idOf: (sample: T) => string,
  sum: (a: T, b: T) => T,
): T[] {
  const rows = new Map<string, T>();
  for (const sample of samples) {
    const id = JSON.stringify([sample.key, sample.at, idOf(sample)]);
    const known = rows.get(id);
    rows.set(id, known === undefined ? sample : sum(known, sample));
  }
  return [...rows.values()];
}
