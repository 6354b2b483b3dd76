import type { CloudRunConfig } from '../domain/cloud/run/config.ts';
import type { Resources } from '../domain/project/project.ts';
import type { InstanceObservation } from '../domain/instance/instance.ts';

/** As whom something runs, when not as evenkeel itself. */
export interface RunAs {
  /** Of this machine; or `dynamic`, a user that belongs to the service of this project and environment alone. */
  user: string;
  service: string;
}

/** Everything a runtime needs to run one instance. `env` is resolved, secrets included, and must never be stored. */
export interface InstanceSpec {
  /** Deterministic: the same copy of the same release has the same id after any crash of the controller. */
  id: string;
  project: string;
  environment: string;
  service: string;
  /** Such as `api@42`. */
  release: string;
  /** 0-based copy within the release. */
  index: number;
  /** Counts restarts of this copy from 0; part of the id, so that a start happens at most once. */
  generation: number;
  /** Absolute folder of the artifact; the instance runs in a copy of it. With `cloud`, an image by its digest. */
  artifact: string;
  /** Folder within the copy, relative. */
  dir: string;
  /** Given to `/bin/sh -c`; with `cloud` it is not looked at: an image says itself what runs. */
  command: string;
  env: Record<string, string>;
  /** Listens here on 127.0.0.1 (also in `env.PORT`), or null for a worker. */
  port: number | null;
  /** Shared folders: `path` relative to `dir` in the copy becomes a link to the absolute `target`. */
  data: { path: string; target: string }[];
  resources: Resources;
  /**
   * Never beside another instance of its service that says the same: such a start throws `instance-not-alone` (retryable),
   * and whatever still slips through does not begin before the other has ended.
   */
  alone?: boolean;
  runAs?: RunAs | undefined;
  /** Ports of other services that it calls; with `runAs`, the only ones that it may. */
  calls?: readonly number[] | undefined;
  /** Where its output goes, absolute; appended. */
  log: string;
  /** It runs in the cloud. Secrets are referred to there: `env` has none, and what the file says is in here. */
  cloud?: CloudRunConfig | undefined;
}

/**
 * Runs instances. Every call is idempotent: it may be made again after a crash, twice, or late. Errors are
 * EvenkeelErrors whose `retryable` says whether trying again can help.
 */
export interface Runtime {
  readonly kind: string;
  /** Starts it unless this very id was ever started; resolves when its process exists (not when it is healthy). */
  start(spec: InstanceSpec): Promise<void>;
  /** Asks it to stop, and kills the whole group after the grace; resolves at once, `observe` tells the rest. */
  stop(id: string, options: { graceMs: number; reason: string }): Promise<void>;
  /** All instances it knows of for an environment, running or ended, until `remove`. */
  observe(scope: { project: string; environment: string }): Promise<InstanceObservation[]>;
  /** Deletes what an ended instance left (working copy, records; not its log). Refuses while it runs. */
  remove(id: string): Promise<void>;
  /** A loopback port that nothing uses or was promised. */
  allocatePort(): Promise<number>;
}

export interface JobSpec {
  /** Deterministic; a job of this id runs at most once, ever. */
  id: string;
  project: string;
  environment: string;
  command: string;
  /** Absolute folder to run in; or null with a working copy. */
  cwd?: string;
  /** Run in a copy of an artifact, made for this job and deleted with it; `dir` and `data` as for an instance. */
  workingCopy?: { artifact: string; dir: string; data: { path: string; target: string }[] };
  env: Record<string, string>;
  /** Where its output goes, absolute. */
  log: string;
  resources: Resources;
  runAs?: RunAs | undefined;
  /** As for an instance. */
  calls?: readonly number[] | undefined;
  /** With `cwd` and `runAs`: absolute folders that become its user's own, to write to. */
  own?: readonly string[] | undefined;
  /** As for an instance; `preview`: the release whose preview it gets as `SMOKE_URL`. */
  cloud?: { config: CloudRunConfig; preview: string | null } | undefined;
}

export type JobObservation =
  | { state: 'absent' }
  | { state: 'running'; startedAt: number; pid: number }
  | {
      state: 'ended';
      startedAt: number;
      endedAt: number;
      exit: number | null;
      signal: string | null;
      cancelled: boolean;
      /** The last lines of its output, when it failed. */
      tail?: string;
    }
  /** It died, or its machine did, without a recorded end: nobody knows how far it came. */
  | { state: 'unknown'; reason: string };

/** Runs one-off commands, detached: a controller that comes back finds them running or ended. */
export interface JobRunner {
  start(spec: JobSpec): Promise<void>;
  observe(id: string): Promise<JobObservation>;
  /** SIGTERM to the group, SIGKILL after the grace. The end is recorded as cancelled. */
  cancel(id: string, options: { graceMs: number }): Promise<void>;
  /** Forgets an ended job; its log stays. */
  remove(id: string): Promise<void>;
}
