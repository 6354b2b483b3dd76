import type { Run, ScheduleMark } from '../domain/schedule/run.ts';

export interface RunQuery {
  project: string;
  environment: string;
  service?: string;
  /** Only those that have not ended. */
  running?: boolean;
  limit?: number;
  /** Only those that come after this one: the newest come first, and of one moment by the names of their services. */
  before?: { dueAt: number; service: string };
}

export type SaveRuns = { saved: true } | { saved: false; reason: 'contested' | 'fence' };

/** Runs of scheduled services. A service has one that runs at most, and one for each time. */
export interface RunStore {
  scheduleMarks(project: string, environment: string): Promise<ScheduleMark[]>;
  /**
   * Moves a service's mark, if it still is `from`, and records the runs with it; a mark of null is forgotten. A time for
   * which there is a run already keeps that one. `contested` when somebody else has moved the mark, or when one is to run
   * and another one runs: nothing was written.
   */
  decideRuns(
    scope: { project: string; environment: string; service: string },
    decided: { from: ScheduleMark | null; mark: ScheduleMark | null; runs: Run[] },
    fence: number,
  ): Promise<SaveRuns>;
  /** A run that somebody asks for; null when one runs already, or when there is one for this very time. */
  addRun(run: Run): Promise<Run | null>;
  /** Asks to end the service's run; null when none runs. The first who asks is remembered. */
  cancelRun(scope: { project: string; environment: string; service: string }, by: string): Promise<Run | null>;
  /** Writes how a run goes on, while it runs: an end is final. `cancelledBy` stays as it is in the store. */
  saveRun(run: Run, fence: number): Promise<SaveRuns>;
  /** Newest first. */
  runs(query: RunQuery): Promise<Run[]>;
  /** Deletes all but the newest `keep` ended runs of each service. */
  forgetRuns(keep: number): Promise<void>;
}
