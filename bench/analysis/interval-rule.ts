/**
 * How other tools judge: every interval the canary's own error rate is compared with a threshold, and one bad
 * interval ends the rollout (Flagger with `threshold: 1` and its usual interval of a minute; Argo Rollouts with
 * `failureLimit: 0` and the five minutes of its examples). There is no baseline, no number of requests that an
 * interval must have, and no count of how often one looks. An interval without any request is counted as bad by
 * Flagger, as no measurement by Argo.
 */
export interface IntervalRule {
  readonly seconds: number;
  readonly threshold: number;
  readonly emptyIsBad: boolean;
}

export const FLAGGER: IntervalRule = { seconds: 60, threshold: 0.01, emptyIsBad: true };
export const ARGO: IntervalRule = { seconds: 300, threshold: 0.01, emptyIsBad: false };

export class IntervalJudge {
  readonly #rule: IntervalRule;
  #second = 0;
  #requests = 0;
  #bad = 0;
  aborted = false;

  constructor(rule: IntervalRule) {
    this.#rule = rule;
  }

  /** One second of the canary. */
  add(requests: number, bad: number): void {
    this.#requests += requests;
    this.#bad += bad;
    if (++this.#second < this.#rule.seconds) return;
    const isBad = this.#requests === 0 ? this.#rule.emptyIsBad : this.#bad / this.#requests > this.#rule.threshold;
    if (isBad) this.aborted = true;
    this.#second = this.#requests = this.#bad = 0;
  }
}
