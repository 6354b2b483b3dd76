import type { MetricVerdict } from './metric-verdict.ts';

/** What a judgement came to, with the numbers behind it. */
export interface Verdict {
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'error';
  /** One sentence, with the numbers. */
  readonly reason: string;
  /**
   * `owner`: compared with the baseline beside it, by sessions. `counts`: the same by requests, as another counted them
   * (counts-test.ts). `window`: against its limits alone.
   */
  readonly test: 'owner' | 'counts' | 'window';
  readonly metrics: readonly MetricVerdict[];
  readonly canaryRequests: number;
  readonly baselineRequests: number;
  /** Canary requests still needed to pass, or to prove what is over its limit; null: more would not decide it, or none is needed. */
  readonly neededRequests: number | null;
  /** Smallest error rate (0..1) that would have been caught with 90 % probability; null: none. */
  readonly detectable: number | null;
}
