/** Seeded chance for simulations: the same seed gives the same numbers everywhere. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = (seed * 0x9e3779b1) | 0;
    this.#c = 0x2545f491;
    for (let i = 0; i < 12; i++) this.uniform();
  }

  /** In [0, 1), 32 bits of it (sfc32). */
  uniform(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Trials up to and with the first success, at least 1. */
  geometric(p: number): number {
    return p >= 1 ? 1 : Math.floor(Math.log(1 - this.uniform()) / Math.log1p(-p)) + 1;
  }

  /** Successes in `n` trials: by skipping from one to the next while they are few, by the normal approximation when many. */
  binomial(n: number, p: number): number {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - this.binomial(n, 1 - p);
    const mean = n * p;
    if (mean > 40) {
      return Math.min(n, Math.max(0, Math.round(mean + Math.sqrt(mean * (1 - p)) * this.normal())));
    }
    const log = Math.log1p(-p);
    let at = Math.floor(Math.log(1 - this.uniform()) / log) + 1;
    let successes = 0;
    while (at <= n) {
      successes++;
      at += Math.floor(Math.log(1 - this.uniform()) / log) + 1;
    }
    return successes;
  }

  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean > 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const floor = Math.exp(-mean);
    let product = this.uniform();
    let events = 0;
    while (product > floor) {
      events++;
      product *= this.uniform();
    }
    return events;
  }
}
