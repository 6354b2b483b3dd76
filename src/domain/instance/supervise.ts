import type { EndReason, InstanceObservation } from './instance.ts';

/** How a release's copies are kept alive. All times in milliseconds. */
export interface SupervisePolicy {
  /** Wait before the first restart; doubles with each end in a row, up to `maxBackoffMs`. */
  backoffMs: number;
  maxBackoffMs: number;
  /** A copy that stayed up this long starts again with a clean slate. */
  stableMs: number;
  /** Ends in a row, none of them after `stableMs`, that make a crash loop. */
  crashLoop: number;
  /** Not healthy for this long although it runs: it hangs, and is started anew. Also the deadline of a new one. */
  unhealthyMs: number;
}

export const SUPERVISE: SupervisePolicy = {
  backoffMs: 500,
  maxBackoffMs: 30_000,
  stableMs: 60_000,
  crashLoop: 4,
  unhealthyMs: 60_000,
};

export interface CopyHealth {
  healthy: boolean;
  /** Since when it has been as it is, as far as the observer knows. */
  since: number;
  /** It has been healthy at some time in this generation. */
  everHealthy: boolean;
  lastError: string | null;
}

export type SuperviseAction =
  | { kind: 'start'; index: number; generation: number; reason: string }
  | { kind: 'stop'; id: string; reason: string }
  /** An ended one whose record nobody needs any more. */
  | { kind: 'remove'; id: string };

export interface Supervision {
  actions: SuperviseAction[];
  /** Why the release cannot be relied on: it loops, could not start, or did not become healthy in time. */
  failure: string | null;
  wakeAt: number | null;
}

/** Ended generations of a copy that are kept, so that a crash loop can be counted after any restart of the controller. */
const KEPT = 6;

/**
 * What one release's copies need so that `wanted` of them run. Pure; `observed` are the instances of this release
 * alone, ended ones included. A release that should not run has `wanted` 0.
 */
export function supervise(
  input: {
    wanted: number;
    observed: InstanceObservation[];
    health: (id: string) => CopyHealth | null;
    now: number;
  },
  policy: SupervisePolicy = SUPERVISE,
): Supervision {
  const actions: SuperviseAction[] = [];
  let failure: string | null = null;
  let wakeAt: number | null = null;
  const wake = (at: number): void => void (wakeAt = wakeAt === null ? at : Math.min(wakeAt, at));

  // One at a time is stopped for being unhealthy: the others may be all that still serves.
  let stopping = input.observed.some((each) => each.state === 'stopping' && each.index < input.wanted);

  for (const instance of input.observed.filter((each) => each.index >= input.wanted)) {
    if (instance.state === 'running') actions.push({ kind: 'stop', id: instance.id, reason: 'not wanted any more' });
    if (instance.state === 'ended') actions.push({ kind: 'remove', id: instance.id });
  }

  for (let index = 0; index < input.wanted; index++) {
    const copies = input.observed
      .filter((each) => each.index === index)
      .toSorted((a, b) => b.generation - a.generation);
    for (const old of copies.slice(KEPT)) if (old.state === 'ended') actions.push({ kind: 'remove', id: old.id });
    const [latest] = copies;
    if (latest === undefined) {
      actions.push({ kind: 'start', index, generation: 0, reason: 'wanted' });
    } else if (latest.state === 'ended') {
      const crashes = crashesInARow(copies, policy);
      if (latest.end?.kind === 'start-failed')
        failure ??= `it could not be started: ${latest.end.detail}${said(latest)}`;
      else if (crashes >= policy.crashLoop)
        failure ??= `it ended ${crashes} times in a row: ${describeEnd(latest.end)}${said(latest)}`;
      const ended = latest.endedAt ?? latest.startedAt;
      // An end in the future was written before the clock was set back: nobody knows how long ago it was.
      const due = ended > input.now ? input.now : ended + backoff(crashes, policy);
      if (due <= input.now) {
        const reason = latest.stopRequested ? 'wanted again' : `restart after ${describeEnd(latest.end)}`;
        actions.push({ kind: 'start', index, generation: latest.generation + 1, reason });
      } else wake(due);
    } else if (latest.state === 'running') {
      const health = input.health(latest.id);
      if (health === null || health.healthy) continue;
      // A start in the future was written before the clock was set back.
      const since = latest.startedAt > input.now ? health.since : Math.max(health.since, latest.startedAt);
      const due = since + policy.unhealthyMs;
      if (due <= input.now) {
        const why = `not healthy for ${Math.round(policy.unhealthyMs / 1000)} s${errorOf(health)}`;
        if (!health.everHealthy) failure ??= why;
        if (!stopping) actions.push({ kind: 'stop', id: latest.id, reason: why });
        stopping = true;
      } else wake(due);
    }
  }
  return { actions, failure, wakeAt };
}

/** Most that never answered listen on a port of their own choosing. */
function errorOf({ lastError, everHealthy }: CopyHealth): string {
  if (lastError === null) return '';
  const deaf = !everHealthy && lastError.includes('ECONNREFUSED');
  return ` (${lastError}${deaf ? '; nothing listens there: does it listen on $PORT, and on 127.0.0.1?' : ''})`;
}

const said = ({ tail = '' }: InstanceObservation): string => (tail === '' ? '' : `; its last lines:\n${tail}`);

function crashesInARow(newestFirst: InstanceObservation[], policy: SupervisePolicy): number {
  let crashes = 0;
  for (const each of newestFirst) {
    if (each.state !== 'ended' || each.stopRequested || each.end?.kind === 'unknown') break;
    if ((each.endedAt ?? each.startedAt) - each.startedAt >= policy.stableMs) break;
    crashes++;
  }
  return crashes;
}

/** Milliseconds to wait before the next start, after so many ends in a row; the first restart is at once. */
export function backoff(crashes: number, policy: SupervisePolicy): number {
  if (crashes <= 1) return 0;
  return Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** (crashes - 2));
}

export function describeEnd(end: EndReason | null): string {
  switch (end?.kind) {
    case 'exit':
      return `exit code ${end.code}`;
    case 'signal':
      return `signal ${end.signal}`;
    case 'out-of-memory':
      return 'running out of memory';
    case 'start-failed':
      return `a failed start (${end.detail})`;
    case 'unknown':
      return `an end that nobody saw (${end.detail})`;
    case undefined:
      return 'an unrecorded end';
  }
}
