import type { LiveInstance } from '../live/instance.ts';
import type { LiveRelease, LiveService } from '../live/service.ts';
import type { RolloutEvidence } from '../stats/evidence.ts';

/**
 * Books one request: once, for the release that was chosen first, whoever answered in the end. Evidence goes to the
 * split under which it was chosen, even if the table changed meanwhile.
 */
export class Account {
  readonly #service: LiveService;
  readonly #owner: LiveRelease;
  readonly #hash: number;
  readonly #weight: number;
  readonly #evidence: RolloutEvidence | null;
  #settled = false;
  #bad = false;

  /** `hash`: of the session. `inner`: the release was not chosen by chance, but belongs to who asks. */
  constructor(service: LiveService, owner: LiveRelease, hash: number, inner: boolean) {
    this.#service = service;
    this.#owner = owner;
    this.#hash = hash;
    // At 100 % nothing is compared, and every request counts against the limits alone.
    this.#weight = inner ? 100 : service.canaryWeight;
    this.#evidence = inner && service.canaryWeight < 100 ? service.innerEvidence : service.evidence;
    owner.counters.inFlight++;
  }

  /** An instance of the release failed the request, or there was none: bad, whatever a retry achieves. */
  failed(): void {
    this.#bad = true;
  }

  retried(): void {
    this.#owner.counters.retries++;
  }

  /** A reply's head came from `by`, its first byte after `ttfbMs`; `instance` is null for a static release. */
  answered(by: LiveRelease, instance: LiveInstance | null, status: number, ttfbMs: number, youngMs: number): void {
    by.counters.answered(status, ttfbMs);
    if (status >= 500) this.#bad = true;
    const young = instance !== null && Date.now() - instance.startedAt < youngMs;
    this.#settle(by === this.#owner && !young ? ttfbMs : null);
  }

  /** No reply came, or none that deserves the name. */
  unanswered(): void {
    this.#bad = true;
    this.#settle(null);
  }

  /** The reply broke off through the upstream's fault. */
  truncated(): void {
    if (this.#bad) return;
    this.#bad = true;
    this.#owner.counters.bad++;
    const arm = this.#service.arm(this.#owner);
    if (arm !== null) this.#evidence?.badRequest({ owner: arm, hash: this.#hash, weight: this.#weight });
  }

  /** The client left before the whole reply was there, which says nothing about the release. */
  abandoned(): void {
    this.#owner.counters.clientAborts++;
    this.#settle(null);
  }

  /** Nothing more will come of it. */
  close(): void {
    this.#owner.counters.inFlight--;
  }

  #settle(ttfbMs: number | null): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#owner.counters.requests++;
    if (this.#bad) this.#owner.counters.bad++;
    const arm = this.#service.arm(this.#owner);
    const evidence = this.#evidence;
    if (arm === null || evidence === null) return;
    const judged = { owner: arm, hash: this.#hash, weight: this.#weight, bad: this.#bad, ttfbMs };
    evidence.judge(judged, this.#service.config.split?.slow ?? null);
  }
}
