/**
 * Tail probabilities for the power of a test: closed forms and short sums, no simulation. Exact while `k` is small,
 * normal approximation (with continuity correction) beyond, where it is good to about three digits.
 */

const EXACT_TERMS = 300;

/** P(X >= k), X binomial with `n` trials (fractions are cut) of probability `p`. */
export function binomialTail(n: number, p: number, k: number): number {
  const trials = Math.floor(n);
  if (k <= 0) return 1;
  if (k > trials || !(p > 0)) return 0;
  if (p >= 1) return 1;
  if (k <= EXACT_TERMS) {
    const first = trials * Math.log1p(-p);
    // Below this, exp() is 0 and so is P(X < k): the mean is in the hundreds, k would have been no small number.
    if (first < -700) return normalTail(k - 0.5, trials * p, trials * p * (1 - p));
    let term = Math.exp(first);
    let below = 0;
    for (let j = 0; j < k; j++) {
      below += term;
      term *= ((trials - j) / (j + 1)) * (p / (1 - p));
    }
    return Math.min(1, Math.max(0, 1 - below));
  }
  return normalTail(k - 0.5, trials * p, trials * p * (1 - p));
}

/** P(X > x) for a normal variable. */
export function normalTail(x: number, mean: number, variance: number): number {
  if (!(variance > 0)) return x < mean ? 1 : 0;
  const z = (x - mean) / Math.sqrt(variance);
  const tail = upperTail(Math.abs(z));
  return z >= 0 ? tail : 1 - tail;
}

/** Abramowitz and Stegun 26.2.17; absolute error below 7.5e-8. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

export interface Mass {
  readonly value: number;
  readonly probability: number;
}

/** Standard normal quantiles of the middles of nine equally likely slices. */
const SLICES = [-1.593, -0.967, -0.589, -0.282, 0, 0.282, 0.589, 0.967, 1.593];

/** A Poisson variable as a short list of values with their probabilities: all of it when the mean is small, nine slices when not. */
export function poissonMasses(mean: number): readonly Mass[] {
  if (!(mean > 0)) return [{ value: 0, probability: 1 }];
  if (mean > 20) {
    const sd = Math.sqrt(mean);
    return SLICES.map((z) => ({ value: Math.round(mean + z * sd), probability: 1 / SLICES.length }));
  }
  const masses: Mass[] = [];
  const last = Math.ceil(mean + 6 * Math.sqrt(mean) + 2);
  let probability = Math.exp(-mean);
  for (let value = 0; value <= last; value++) {
    if (probability > 1e-4) masses.push({ value, probability });
    probability *= mean / (value + 1);
  }
  return masses;
}
