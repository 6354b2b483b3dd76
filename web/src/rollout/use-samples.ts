import { useEffect, useState } from 'react';
import type { VerdictView } from '../../../src/api/contract/verdict.ts';

/** What was measured at one moment. */
export interface Sample {
  at: number;
  canary: number | null;
  baseline: number | null;
}

/** A quarter of an hour, at one a second. */
const KEPT = 900;
const EVERY_MS = 1_000;

/** What this page has seen of a metric, by unit; the API keeps no history of it. */
export function useSamples({ metrics }: VerdictView): Record<'rate' | 'ms', readonly Sample[]> {
  const [samples, setSamples] = useState<Record<'rate' | 'ms', readonly Sample[]>>({ rate: [], ms: [] });
  useEffect(() => {
    const at = Date.now();
    setSamples((before) => ({ rate: added(before.rate, 'rate'), ms: added(before.ms, 'ms') }));

    function added(known: readonly Sample[], unit: 'rate' | 'ms'): readonly Sample[] {
      const metric = metrics.find((each) => each.unit === unit);
      if (metric === undefined || (metric.canary === null && metric.baseline === null)) return known;
      const last = known.at(-1);
      const sample = { at, canary: metric.canary, baseline: metric.baseline };
      if (last !== undefined && at - last.at < EVERY_MS) return known;
      return [...known, sample].slice(-KEPT);
    }
  }, [metrics]);
  return samples;
}
