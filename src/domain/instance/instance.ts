/** Why an instance ended, as far as it can be known. */
export type EndReason =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  | { kind: 'out-of-memory' }
  /** The copy, the working folder or the command could not be used. */
  | { kind: 'start-failed'; detail: string }
  /** Its record is gone: a reboot, or it was adopted and its end went unseen. */
  | { kind: 'unknown'; detail: string };

export interface InstanceUsage {
  /** CPU time used since its start, in milliseconds, all processes of the group. */
  cpuMs: number;
  /** Resident memory of the group, in bytes. */
  memory: number;
}

/** Which of the limits that were asked for hold; a limit that was not asked for counts as holding. */
export interface LimitsInForce {
  memory: boolean;
  cpu: boolean;
  /** Why one does not hold, or null. */
  why: string | null;
}

/** One instance as a runtime sees it. */
export interface InstanceObservation {
  id: string;
  service: string;
  release: string;
  index: number;
  generation: number;
  port: number | null;
  state: 'running' | 'stopping' | 'ended';
  pid: number | null;
  startedAt: number;
  endedAt: number | null;
  end: EndReason | null;
  /** The last lines of its output, when it ended badly and wrote any. */
  tail?: string;
  /** True when it was asked to stop: its end is no crash. */
  stopRequested: boolean;
  usage: InstanceUsage | null;
  /** Absent when the runtime cannot tell. */
  limits?: LimitsInForce;
}
