import type { MetricVerdict } from './metric-verdict.ts';
import type { Verdict } from './verdict.ts';
import { count, milliseconds, odds, percent, plural } from './words.ts';

/** The sentences of a verdict: what was seen, beside what, against which limit, and how sure that is. */
export type Judged = Omit<Verdict, 'verdict' | 'reason' | 'neededRequests'>;

export function seen(requests: number): string {
  return `${plural(requests, 'canary request')} seen`;
}

function show(metric: MetricVerdict, value: number | null): string {
  if (value === null) return 'unknown';
  return metric.unit === 'rate' ? percent(value) : milliseconds(value);
}

/** "errors 4.8 % of 105 canary requests, baseline 0.1 % of 945; limit 1 %" */
function compared(metric: MetricVerdict, judged: Judged): string {
  const name = metric.unit === 'rate' ? 'errors' : 'p95';
  const limit = metric.limit === null ? '' : `; limit ${show(metric, metric.limit)}`;
  const baseline =
    judged.test === 'window' || metric.baseline === null
      ? ''
      : `, baseline ${show(metric, metric.baseline)} of ${count(judged.baselineRequests)}`;
  const who = judged.test === 'window' ? 'request' : 'canary request';
  return `${name} ${show(metric, metric.canary)} of ${plural(judged.canaryRequests, who)}${baseline}${limit}`;
}

function evidence(metric: MetricVerdict, judged: Judged): string {
  const what = judged.test === 'window' ? 'over the limit' : 'worse than the baseline';
  return `evidence ${odds(metric.e)} that it is ${what}, ${odds(metric.threshold)} needed`;
}

export function failure(metric: MetricVerdict, judged: Judged): string {
  return `The canary breaks its limit: ${compared(metric, judged)}; ${evidence(metric, judged)}.`;
}

export function holding(metric: MetricVerdict, judged: Judged, needed: number | null): string {
  const baselineToo = metric.baseline !== null && metric.limit !== null && metric.baseline >= metric.limit;
  const also = judged.test !== 'window' && baselineToo ? ' (the baseline breaks it too)' : '';
  const more = needed === null ? '' : `; about ${plural(needed, 'more request')} would prove it`;
  return `Over the limit${also}, but not proven: ${compared(metric, judged)}; ${evidence(metric, judged)}${more}.`;
}

export function waiting(judged: Judged, missing: number | null, complete: boolean): string {
  const more =
    missing === null
      ? 'no number of requests would be enough beside a baseline that fails as often'
      : missing > 0
        ? `about ${plural(missing, 'more canary request')} needed to judge it`
        : 'enough to judge it';
  const end = complete ? 'The step is over' : 'The step goes on';
  return `${end}: ${seen(judged.canaryRequests)}, ${more}; ${caught(judged)}${warned(judged)}.`;
}

export function passing(judged: Judged): string {
  const [errors] = judged.metrics;
  const p95 = judged.metrics.find((metric) => metric.unit === 'ms');
  const facts = [errors, p95].filter((metric) => metric !== undefined && metric.canary !== null);
  const numbers = facts.map((metric) =>
    metric ? `${metric.unit === 'rate' ? 'errors' : 'p95'} ${show(metric, metric.canary)}` : '',
  );
  return `Within its limits after ${plural(judged.canaryRequests, 'request')} (${numbers.join(', ')}); ${caught(judged)}${warned(judged)}.`;
}

function warned(judged: Judged): string {
  const worse = judged.metrics.filter((metric) => metric.state === 'warn').map((metric) => metric.metric);
  const than = judged.test === 'window' ? 'its limit allows' : 'the baseline';
  return worse.length === 0 ? '' : `; evidence says it is worse than ${than} (${worse.join(', ')})`;
}

function caught(judged: Judged): string {
  if (judged.detectable === null) return 'no error rate would have been caught with 90 % probability yet';
  return `an error rate of ${percent(judged.detectable)} would have been caught with 90 % probability`;
}
