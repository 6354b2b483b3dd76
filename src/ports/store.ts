import type { Address, Deployment, Release } from '../domain/release/release.ts';
import type { JournalEntry, OperatorRequest, Rollout } from '../domain/rollout/rollout.ts';
import type { AuditStore } from './audit-store.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import type { RunStore } from './run-store.ts';
import type { ScaleStore } from './scale-store.ts';
import type { Listen, Project } from '../domain/project/project.ts';

export type NewJournalEntry = Omit<JournalEntry, 'seq' | 'rollout' | 'fence'>;
/** Who takes something back need not be told from others: `human` matters to approvals. */
export type NewRequest = Omit<OperatorRequest, 'seq' | 'human'> & { human?: string | null };

/** An environment of a project as it was last brought up. */
export interface EnvironmentRecord {
  project: string;
  environment: string;
  /** The resolved file of the last `up` or `deploy`. Releases carry configs of their own; this is for what is not theirs. */
  config: Project;
  /** `down` keeps everything recorded and runs nothing. */
  wanted: 'up' | 'down';
  updatedAt: number;
}

export type Serving = Pick<Deployment, 'service' | 'current'>;

export type CreateRollout =
  | { created: true; rollout: Rollout }
  /** A service already has a rollout that is not over; nothing was written. */
  | { created: false; active: Rollout }
  /** What serves has changed since the caller looked; nothing was written. */
  | { created: false; active: null };

/** What a transition changes in what a service serves; what is absent stays as it is. */
export type ServingChange = Pick<Deployment, 'service'> &
  Partial<Pick<Deployment, 'current' | 'former' | 'contracted'>>;

/** Moves an environment's public port; with `from` only if it is still there. */
export interface ListenChange {
  from: Listen | null;
  to: Listen;
}

export type SaveRollout = { saved: true; rollout: Rollout } | { saved: false; reason: 'version' | 'fence' };

/** The right to act, of one controller at a time. */
export interface Lease {
  /** Unique for each life of a controller. */
  holder: string;
  /** Who that is, in the holder's own words. */
  about: string;
  fence: number;
  /** Until it runs out by the store's clock, ms; not above 0: it has. */
  leftMs: number;
}

export interface LeaseRequest {
  holder: string;
  about: string;
  ms: number;
  /** The fence of a holder that is known to be dead: its lease need not have run out. */
  dead?: number;
}

export type TakeLease = { taken: true; fence: number } | { taken: false; lease: Lease };

export interface ReleaseQuery {
  project: string;
  environment?: string;
  service?: string;
  limit?: number;
  /** Only those that are older than this one. */
  before?: string;
}

export interface RolloutQuery {
  project?: string;
  environment?: string;
  service?: string;
  /** Only those of these environments. */
  within?: readonly { readonly project: string; readonly environment: string }[];
  /** Not ended, or ended and not settled. */
  unsettled?: boolean;
  limit?: number;
  /** Only those that are older than this one. */
  before?: string;
}

/**
 * Everything that must survive a crash. Every method is one transaction. Errors are EvenkeelErrors: `store-busy`
 * (retryable), `store-full`, `store-readonly`, `store-corrupt`, `store-conflict` (it exists already), `store-invalid` (what
 * was to be written is not well formed), `store-closed`, `store-unsure` (it went away while writing, and nobody knows
 * whether it was written), `store-fenced` (another controller acts by now), `store-failed` (anything else that the disk or
 * the database said).
 */
export interface Store extends RunStore, ScaleStore, AuditStore, IdempotencyStore {
  /** A new fence, higher than any before: taken by a controller when it becomes the one that acts. */
  nextFence(): Promise<number>;
  /** From now on every write, but for those of leases, is refused (`store-fenced`) once a higher fence than this was drawn. */
  actAs(fence: number): void;

  /** The lease as it is; null when nobody ever had it. */
  lease(): Promise<Lease | null>;
  /** Takes it, with a new fence, when it has run out or was given up, or `dead` names its fence. */
  takeLease(request: LeaseRequest): Promise<TakeLease>;
  /** Holds it for `ms` from now on; false when another one has taken it. */
  renewLease(held: { holder: string; fence: number; ms: number }): Promise<boolean>;
  /** Lets another one take it at once. */
  giveUpLease(held: { holder: string; fence: number }): Promise<void>;

  /** With `keepListen` the public port stays where the last promotion left it, if the environment is known. */
  saveEnvironment(record: EnvironmentRecord, options?: { keepListen: boolean }): Promise<void>;
  environment(project: string, environment: string): Promise<EnvironmentRecord | null>;
  environments(): Promise<EnvironmentRecord[]>;

  /** The next numbers of the services, reserved; `api` -> 42. */
  reserveReleaseNumbers(project: string, services: string[]): Promise<Record<string, number>>;
  addReleases(releases: Release[]): Promise<void>;
  setArtifact(project: string, release: string, artifact: string): Promise<void>;
  release(project: string, id: string): Promise<Release | null>;
  /** Newest first. */
  releases(query: ReleaseQuery): Promise<Release[]>;

  deployments(project: string, environment: string): Promise<Deployment[]>;
  /** Creates what is missing, keeps ports that were given before. */
  ensureDeployments(deployments: Deployment[]): Promise<void>;
  /** Every port that was given to a service or a release, on the whole machine, ascending. */
  takenPorts(): Promise<number[]>;

  /** Where the environment's releases ask other services. */
  addresses(project: string, environment: string): Promise<Address[]>;
  /** Keeps those that were given before; `port-taken` (retryable) when a new one's port is somebody's. */
  giveAddresses(addresses: Address[]): Promise<void>;
  /** Takes back the addresses of releases that run no more. */
  takeAddresses(where: { project: string; environment: string }, releases: string[]): Promise<void>;

  /**
   * Creates the rollout with its first journal line, unless one of its services has a rollout that is not over.
   * One in `watching` does not stand in the way. With `basedOn` it is created only if these still are what serves.
   */
  createRollout(rollout: Rollout, entry: NewJournalEntry, basedOn?: Serving[]): Promise<CreateRollout>;
  rollout(id: string): Promise<Rollout | null>;
  /** Newest first. */
  rollouts(query: RolloutQuery): Promise<Rollout[]>;
  /**
   * Writes the rollout if its version is still `rollout.version` and its fence not above `fence`; the journal lines
   * the changed deployments and the moved port go into the same transaction. The result has the new version and the fence.
   */
  saveRollout(
    rollout: Rollout,
    fence: number,
    entries: NewJournalEntry[],
    deployments?: ServingChange[],
    listen?: ListenChange | null,
  ): Promise<SaveRollout>;
  journal(rollout: string): Promise<JournalEntry[]>;

  addRequest(request: NewRequest): Promise<OperatorRequest>;
  /** In order, those after `seq`. */
  requests(rollout: string, afterSeq: number): Promise<OperatorRequest[]>;

  close(): Promise<void>;
}

/** What the telemetry file keeps for a service's release: what happened within one interval. */
export interface EdgeSample {
  at: number;
  key: string;
  release: string;
  requests: number;
  bad: number;
  classes: number[];
  /** Sparse counts of lib/histogram.ts. */
  ttfb: readonly number[];
}

export interface InstanceSample {
  at: number;
  key: string;
  instance: string;
  release: string;
  /** Cores used, averaged over the interval. */
  cpu: number;
  /** Bytes, averaged over the interval. */
  memory: number;
  /** The highest of the 10 s values; only in samples of a minute. */
  cpuMax?: number;
  memoryMax?: number;
}

export type Resolution = '10s' | '1m';

/**
 * Statistics over time: 10 s for a day, 1 min for 30 days. Loss of the file loses no rollout. Samples are written about
 * once a minute; a killed controller loses those in between. What cannot be written is lost with a warning, not an error.
 */
export interface Telemetry {
  record(samples: { edge: EdgeSample[]; instances: InstanceSample[] }): Promise<void>;
  /** From `from` up to and without `to`, in order. A sample of a minute lies at its beginning. */
  edge(query: {
    key: string;
    release?: string;
    from: number;
    to: number;
    resolution: Resolution;
  }): Promise<EdgeSample[]>;
  instances(query: { key: string; from: number; to: number; resolution: Resolution }): Promise<InstanceSample[]>;
  /** Deletes what is too old. To be called every few minutes. */
  maintain(now: number): Promise<void>;
  close(): Promise<void>;
}
