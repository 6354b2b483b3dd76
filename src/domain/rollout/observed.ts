import type { StoredEvidence } from '../analysis/evidence-store.ts';
import type { HeldCounts, OperatorRequest, RolloutService } from './rollout.ts';

/** A piece of work with an end: a build, a migration, a smoke test, a check, a contract. */
export interface Work {
  /** `unknown`: it died without a recorded end, so nobody knows how far it came. */
  state: 'absent' | 'running' | 'done' | 'failed' | 'unknown';
  /** For people: how it ended, with the last of its output where that helps. */
  detail: string;
}

export interface ReleaseObservation {
  /** How many instances it should have. */
  wanted: number;
  /** How many have a living process. */
  running: number;
  /** How many the edge calls healthy (a worker: stayed up long enough; a static folder: 1 when it is there). */
  healthy: number;
  /** One of them was started a while ago at most, and may still become healthy for the first time. */
  starting: boolean;
  /** Why it cannot become healthy any more (crash loop, start failed, deadline), or null. */
  failure: string | null;
  /** Its desired weight as the edge has it applied; null when the edge does not know the release. */
  weight: number | null;
  /** Processes or edge entries are left, be they draining, or there will be in a moment. */
  present: boolean;
}

export interface ServiceObserved {
  build: Work;
  migration: Work;
  smoke: Work;
  check: Work;
  contract: Work;
  to: ReleaseObservation;
  from: ReleaseObservation | null;
  /** The release that answered the last request through the edge, and when; null when none has yet. */
  answered: { release: string; at: number } | null;
  /** What came instead of an answer the last time it was asked there; absent or null: nothing is known of that. */
  unanswered?: string | null;
  /** The baseline's quantiles up to now; null with too little traffic. */
  baselineSlow: { p75Ms: number; p95Ms: number } | null;
  evidence: StoredEvidence;
  /** Of requests from services of the same rollout; absent while there were none. */
  inner?: StoredEvidence | undefined;
  /** What the edge has counted of requests that had to wait; absent when it does not answer. */
  held?: HeldCounts | undefined;
}

/** What the engine saw, just now. Nothing here is an intention. */
export interface Observed {
  /** In order; those after the rollout's `requestSeq`. */
  requests: OperatorRequest[];
  services: Record<string, ServiceObserved>;
  /** The edge did answer; if not, what is said of it is the last known and proves nothing. */
  edgeReachable: boolean;
  /** A newer rollout of one of these services has begun. */
  superseded: boolean;
  /** What the switch asks of the edge beside the new releases (a port, the end of a removed service) and is not so yet. */
  unswitched: string[];
  /** Why the edge refused what it was told last, or null. */
  refusal: string | null;
  /** The environment was brought down: nothing of it runs, on purpose. */
  down?: boolean | undefined;
  /** Another rollout of this environment that changes a database at this moment, in words; null for none. */
  schemaBusy: string | null;
  /** Why one of its releases does not fit the database any more, which a contract has changed; null when all do. */
  pastContract: string | null;
}

/** What was seen of one service. Throws when the engine left it out: it must observe every service of the rollout. */
export function seen(observed: Observed, each: Pick<RolloutService, 'service'>): ServiceObserved {
  const service = observed.services[each.service];
  if (service === undefined) throw new Error(`${each.service} belongs to the rollout and was not observed`);
  return service;
}

/** What decide wants done besides traffic and instances, which follow from the rollout itself (see desired.ts). */
export type Action =
  | { kind: 'build'; service: string }
  | { kind: 'migrate'; service: string; attempt: number }
  | { kind: 'smoke'; service: string; attempt: number }
  | { kind: 'check'; service: string; attempt: number }
  | { kind: 'contract'; service: string; attempt: number }
  /** Ends whatever build, smoke or check of it still runs; with `migrations` also those and contracts. */
  | { kind: 'cancel-work'; service: string; migrations: boolean };
