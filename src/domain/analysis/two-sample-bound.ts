import { ALPHA } from './owner-test.ts';

/**
 * The fewest canary requests, on average, after which *any* honest sequential test can tell a canary with error rate
 * `canary` from a baseline with error rate `baseline` that runs beside it.
 *
 * Wald's bound: a test that ever fails an innocent canary with probability at most alpha, and fails the bad one surely,
 * takes on average at least ln(1/alpha) / I observations, I being the information (Kullback-Leibler divergence) of one
 * observation between the bad canary and the innocent pair that looks most like it. That pair has both releases at the
 * pooled rate; with each canary request come (1 - w) / w baseline requests:
 *
 *   I = KL(canary, pooled) + (1 - w) / w * KL(baseline, pooled),   pooled = w canary + (1 - w) baseline
 *
 * The bound knows both rates beforehand and spends the whole alpha on errors; our test knows neither and has half.
 */
export function twoSampleBound(pair: {
  /** Error rates, 0..1. */
  readonly baseline: number;
  readonly canary: number;
  /** Share of requests that the canary has, in (0, 1). */
  readonly weight: number;
  readonly alpha?: number;
}): number {
  const { baseline, canary, weight, alpha = ALPHA } = pair;
  const pooled = weight * canary + (1 - weight) * baseline;
  const information = divergence(canary, pooled) + ((1 - weight) / weight) * divergence(baseline, pooled);
  return -Math.log(alpha) / information;
}

/** Kullback-Leibler divergence of two coins, in nats. */
function divergence(p: number, q: number): number {
  const term = (a: number, b: number) => (a > 0 ? a * Math.log(a / b) : 0);
  return term(p, q) + term(1 - p, 1 - q);
}
