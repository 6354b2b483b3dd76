import type { LoadSample } from '../domain/scaling/decide-scale.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import type { Deployment } from '../domain/release/release.ts';
import type { Scale } from '../domain/scaling/scale.ts';
import type { Run } from '../domain/schedule/run.ts';
import type { EnvironmentRecord } from '../ports/store.ts';
import { HealthMemory } from './health-memory.ts';
import type { Snapshot } from './snapshot.ts';

/** One look at an environment, as it ended. */
export interface Seen {
  record: EnvironmentRecord;
  snapshot: Snapshot;
  deployments: Deployment[];
  /** Those that are not over and settled, and those that have just become so. */
  rollouts: Rollout[];
  scales: Scale[];
  /** Runs of scheduled services that are under way. */
  runs: Run[];
}

/**
 * What the loop of one environment remembers between two looks. None of it decides where a rollout stands: losing it
 * costs a repeated question or a longer wait, never a repeated act.
 */
export class EnvironmentMemory {
  readonly health = new HealthMemory();
  /** What the last look saw and decided; null before the first. For whoever wants to know without asking again. */
  seen: Seen | null = null;
  /** Since when an instance is on its way out, by id. */
  readonly draining = new Map<string, number>();
  /** Which release answered the last request through the edge, by `rollout/service`. */
  readonly answered = new Map<string, { release: string; at: number }>();
  /** What was asked there and answered last, or what came instead, while that was no release's answer; by the same. */
  readonly unanswered = new Map<string, string>();
  readonly probing = new Set<string>();
  /** Rollouts as last decided, with evidence that need not be written at every look. */
  readonly latest = new Map<string, { rollout: Rollout; wakeAt: number | null; savedAt: number }>();
  /** Why the edge refused the last change (a taken port or route), or null. */
  refusal: string | null = null;
  /** Some service was scheduled when it was looked last; before the first look nobody knows. */
  schedules = true;
  /** Jobs of runs that a former controller may have left were looked for. */
  runsSwept = false;
  /** Jobs of runs that are over, once the store says so too. */
  readonly overRuns = new Set<string>();
  /** Runs that could not even be begun, and why, by the name of their job. */
  readonly unbegun = new Map<string, string>();
  /** What services had to do in the last while, by service; only of those that follow their load. */
  readonly load = new Map<string, LoadSample[]>();
  /** Processor time of instances as it was seen last, by id. */
  readonly cpuSeen = new Map<string, { at: number; cpuMs: number }>();
  /** Hashes as they were made, with a mark of what they were made of, by `secret user`. `salt` is this controller's. */
  readonly passwords = {
    salt: '',
    made: new Map<string, { mark: string; hash: string }>(),
    /** Why no secret could be read at the last look, or null. */
    problem: null as string | null,
  };
  /** Starts that are under way, so that a slow copy is not begun twice. */
  readonly starting = new Set<string>();
  /** Why a release's copies cannot be started however often one tries (a secret that is not set), by release. */
  readonly unstartable = new Map<string, string>();

  /** Forgets rollouts that are over and releases that are gone: there would only ever be more of them. */
  keepOnly(rollouts: ReadonlySet<string>, releases: ReadonlySet<string>): void {
    for (const id of this.latest.keys()) if (!rollouts.has(id)) this.latest.delete(id);
    for (const known of [this.answered, this.unanswered])
      for (const name of known.keys()) if (!rollouts.has(name.slice(0, name.indexOf('/')))) known.delete(name);
    for (const id of this.unstartable.keys()) if (!releases.has(id)) this.unstartable.delete(id);
  }
}
