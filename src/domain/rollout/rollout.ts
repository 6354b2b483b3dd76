import type { AnalysisLimits, Listen, RolloutPolicy, ServiceKind } from '../project/project.ts';
import type { Verdict } from '../analysis/verdict.ts';
import type { EvidenceTotals, StoredEvidence } from '../analysis/evidence-store.ts';

/** In the order in which a good rollout passes through them. */
export const PHASES = [
  'pending',
  'building',
  'starting',
  'migrating',
  'verifying',
  'canary',
  'promoting',
  'watching',
  'contracting',
  'complete',
] as const;
export type Phase = (typeof PHASES)[number];

/**
 * - `complete`: promoted, and the window passed; what it had to contract was contracted, or was left.
 * - `aborted`: a person stopped it before promotion.
 * - `failed`: a verdict, an error or a deadline stopped it before promotion.
 * - `rolled-back`: taken back after promotion, by a person or by a verdict.
 */
export type End = 'complete' | 'aborted' | 'failed' | 'rolled-back';

export type PauseReason = 'approval' | 'inconclusive' | 'unknown-job' | 'contract' | 'operator';

export interface Pause {
  reason: PauseReason;
  since: number;
  detail: string;
}

/** One service's part of a rollout. */
export interface RolloutService {
  service: string;
  kind: ServiceKind;
  /** The release that served when the rollout began, or null for a first deploy. */
  from: string | null;
  to: string;
  /** Services of this same rollout that must be verified before this one starts. */
  after: string[];
  /** Whether it has this work to do; a rollback to an old release has none of it. */
  builds: boolean;
  migrates: boolean;
  smokes: boolean;
  checks: boolean;
  /** It cannot run twice: the former release is stopped before the new one starts. Absent: both run side by side. */
  alone?: true | undefined;
  /** It runs in the cloud, which shares out requests and not sessions, and where no edge of ours stands before it. */
  away?: true | undefined;
  /** Whether it has something to take away once the rollback window is over. */
  contracts: boolean;
  /** What its canary is judged by. */
  limits: AnalysisLimits;
}

/** A service that goes, and what served until then. */
export interface RemovedService {
  service: string;
  kind: ServiceKind;
  release: string;
}

/**
 * How far a service's `contract` has come, from its begin on: from then on no older release is gone back to, since
 * nobody knows what half of it took away.
 */
export type ContractState = 'begun' | 'done' | 'failed' | 'unknown';

/** What analysis knows of one service of the rollout. */
export interface ServiceAnalysis {
  /** The baseline's quantiles, frozen when the canary began; null when it had too little traffic to tell. */
  slow: { p75Ms: number; p95Ms: number } | null;
  evidence: StoredEvidence;
  /** Of requests from services of the same rollout, which were not split by chance; absent while there were none. */
  inner?: StoredEvidence | undefined;
  /** The totals when it got all traffic; what came before is left out of the window's test. Null before. */
  windowStart: EvidenceTotals | null;
  verdict: Verdict | null;
}

/** Since when nobody answers for a service that cannot run twice, and what the edge had counted of it by then. */
export interface Held {
  since: number;
  counted: HeldCounts | null;
}

/** Requests that had to wait for an instance, and those that were refused for want of one, in one life of the counters. */
export interface HeldCounts {
  epoch: string;
  waited: number;
  refused: number;
}

/** A rollout as it is stored: this, and nothing in any process's memory, is where it stands. */
export interface Rollout {
  id: string;
  project: string;
  environment: string;
  kind: 'deploy' | 'rollback';
  services: RolloutService[];
  /** Services that the file no longer has: they lose their traffic with the switch, and have it again with a rollback. */
  removes: RemovedService[];
  /** The environment's public port as it was and as it is to be; it moves with the switch. Null: it stays. */
  opens: { from: Listen; to: Listen } | null;
  policy: RolloutPolicy;
  /** A person said that its migrations run although what serves may not survive them. */
  allowsBreaking: boolean;
  /** Approvals needed before promotion; 0 for none. */
  approvalsNeeded: number;
  /** What the file asked for, which is in force from its promotion on; null: it was made of no file. */
  approvalRule: number | null;
  requestedBy: string;
  /** The human being behind that, as access names them; null: not known. They do not approve it. */
  author: string | null;
  createdAt: number;

  phase: Phase;
  end: End | null;
  endedAt: number | null;
  /** After an end: traffic, instances and jobs were seen to be as the end wants them. */
  settled: boolean;
  phaseSince: number;
  /** 0-based canary step, and when it began. */
  step: number;
  stepSince: number;
  /** Time spent paused since `phaseSince` / `stepSince`, ended pauses only: deadlines and steps do not count it. */
  phasePausedMs: number;
  stepPausedMs: number;
  paused: Pause | null;
  /** Work with an unknown end that a person has waved on as done, such as `migrate.api`. */
  waived: string[];
  /** How often a job was begun, when more than once: an operator's `resume` after an unknown end runs it again. */
  attempts: Record<string, number>;
  /** Services whose new release was verified; what depends on them may start then. */
  verified: string[];
  /** Services whose former release was told to stop so that the new one can start; a pause gives them back. */
  held: Record<string, Held>;
  /** By service, from the begin of its contract on. */
  contract: Record<string, ContractState>;
  /** `human`: as `author`. */
  approvals: { by: string; human: string | null; at: number; comment: string | null }[];
  analysis: Record<string, ServiceAnalysis>;
  /** Why it is where it is: the last transition's reason. */
  reason: string;
  /** Sequence of the last operator request that was taken into account. */
  requestSeq: number;
  /** When the rollout was promoted (weights at 100), or null. */
  promotedAt: number | null;

  /** Of the controller that last wrote it; see the store. */
  fence: number;
  /** Grows with every write; a write names the version that it read. */
  version: number;
}

/** Every service that it brings or takes away. */
export const concerns = ({ services, removes }: Pick<Rollout, 'services' | 'removes'>): string[] =>
  [...services, ...removes].map((each) => each.service);

/** What a person asked for; recorded first, then decided upon, so that a crash between the two loses nothing. */
export type RequestKind = 'promote' | 'pause' | 'resume' | 'abort' | 'rollback' | 'approve' | 'reject' | 'supersede';

/**
 * Why a request changed nothing: `no-effect` (the phase has nothing that it could do), `not-paused`, `already-paused`,
 * `not-an-approval` (only approve or reject decide here), `approved-already`, `author-approves` (somebody else has to),
 * `first-release` (nothing to go back to).
 */
export const REFUSALS = [
  'no-effect',
  'not-paused',
  'already-paused',
  'not-an-approval',
  'approved-already',
  'author-approves',
  'first-release',
] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface OperatorRequest {
  seq: number;
  rollout: string;
  kind: RequestKind;
  by: string;
  /** The human being behind that, as access names them; null: not known. */
  human: string | null;
  at: number;
  comment: string | null;
  /** With abort: do not wait for a running migration. */
  force: boolean;
}

/** A line of a rollout's story. */
export interface JournalEntry {
  rollout: string;
  seq: number;
  at: number;
  /** Null for the first. */
  from: Phase | End | null;
  to: Phase | End;
  reason: string;
  /** Numbers and names behind the reason. */
  detail: Record<string, unknown>;
  fence: number;
}
