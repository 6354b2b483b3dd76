import type { Scope } from '../domain/project/scope.ts';
import type { Address, Deployment, Release } from '../domain/release/release.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import type { Scale } from '../domain/scaling/scale.ts';
import type { EnvironmentRecord, NewRequest } from './store.ts';

/** What there is for the time in which the store is away: what it said last, and what it has not been told yet. */

/** What a person asked for, with the place where it belongs. */
export interface UnwrittenRequest extends NewRequest, Scope {
  id: string;
}

/** What people asked for, and was acted upon, while it could not be written to the store. Outlives the process. */
export interface Unwritten {
  /** In the order in which they were asked for. Reads no more than whether there is something new. */
  of(scope: Scope): readonly UnwrittenRequest[];
  /** Is known at once, and on the disk when this resolves; rejects when it could not be written there either. */
  add(request: UnwrittenRequest): Promise<void>;
  /** They are in the store by now. */
  remove(ids: readonly string[]): Promise<void>;
}

/** An environment as the store had it when it was looked at last, with every release that is named in it. */
export interface Known {
  record: EnvironmentRecord;
  /** Unsettled ones, newest first. */
  rollouts: Rollout[];
  deployments: Deployment[];
  addresses: Address[];
  releases: Release[];
  /** Absent in what a former version wrote down. */
  scales?: Scale[] | undefined;
}

export interface LastKnown {
  keep(known: Known): void;
  of(scope: Scope): Known | null;
  all(): Known[];
}
