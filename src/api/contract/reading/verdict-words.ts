import { formatLatency, formatShare } from '../../../lib/format.ts';
import type { VerdictView } from '../verdict.ts';

type Metric = VerdictView['metrics'][number];

/**
 * Metrics as people look at them: latency is tested at two places beside a baseline, and observed as one number. The
 * test that has come further speaks for both.
 */
export function shownMetrics({ metrics }: Pick<VerdictView, 'metrics'>): Metric[] {
  const furthest = metrics.filter(({ unit }) => unit === 'ms').toSorted((a, b) => b.progress - a.progress)[0];
  const rates = metrics.filter(({ unit }) => unit === 'rate');
  return furthest === undefined ? rates : [...rates, { ...furthest, metric: 'p95' }];
}

/** Null: it was not measured, which a terminal and a page write each in their way. */
export function metricValue(unit: Metric['unit'], value: number | null): string | null {
  if (value === null) return null;
  return unit === 'rate' ? formatShare(value) : formatLatency(value);
}

/** How a metric stands, in a few words. What was not measured yet is not called well. */
export function metricWords({ state, canary }: Metric, test: VerdictView['test']): string {
  switch (state) {
    case 'ok':
      return canary === null ? 'not measured yet' : 'ok';
    case 'warn':
      return test === 'window' ? 'worse than allowed' : 'worse than the baseline';
    case 'hold':
      return 'over its limit, not proven';
    case 'fail':
      return 'proven bad';
  }
}
