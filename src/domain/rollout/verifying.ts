import { gate } from './gate.ts';
import { giveWay, hasGivenWay, mustGiveWay } from './giving-way.ts';
import { attemptOf, type Job, jobsOf, titleOf, unknownEnd, unknownJob } from './jobs.ts';
import { beginAnalysis } from './judging.ts';
import { type Action, type Observed, seen } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, enter, finish, hold, pause, wait } from './transition.ts';
import { sharedOut } from './where.ts';

/**
 * Every new release is healthy, and has passed its smoke tests and its check, before any of them sees a user. What
 * leans on another new service is started, and asked, once that one is verified.
 */
export function verifying(rollout: Rollout, observed: Observed, now: number): Decision {
  const { verified, giving, waits, actions } = progress(rollout, observed);
  const next = verified.length === rollout.verified.length ? rollout : { ...rollout, verified };
  const failed = failure(next, observed);
  if (failed !== null) return finish(next, 'failed', now, failed);
  if (rollout.paused !== null) return hold(next, now);
  const unknown = unknownJob(next, observed);
  if (unknown !== null) return pause(next, 'unknown-job', now, unknownEnd(unknown));
  if (giving.length > 0) return giveWay(next, observed, giving, now);
  if (waits.length > 0) return wait(next, now, `verifying: waiting for ${waits.join('; ')}`, actions);
  return verifiedAll(next, observed, now);
}

function failure(rollout: Rollout, observed: Observed): string | null {
  for (const each of rollout.services) {
    if (!each.after.every((name) => rollout.verified.includes(name))) continue;
    const { to } = seen(observed, each);
    if (to.failure !== null) return `${each.to} is not healthy: ${to.failure}`;
    const job = jobsOf(rollout, observed, each, ['smoke', 'check']).find(({ work }) => work.state === 'failed');
    if (job !== undefined) return `${titleOf(job)} of ${each.to} failed: ${job.work.detail}`;
  }
  return null;
}

/** How far each service has come. Services are in dependency order, so one look may verify several. */
function progress(
  rollout: Rollout,
  observed: Observed,
): { verified: string[]; giving: RolloutService[]; waits: string[]; actions: Action[] } {
  const verified = [...rollout.verified];
  /** Whose former release has to stop now. */
  const giving: RolloutService[] = [];
  const waits: string[] = [];
  const actions: Action[] = [];
  for (const each of rollout.services) {
    const { to } = seen(observed, each);
    if (!each.after.every((name) => verified.includes(name))) {
      waits.push(`${each.service} for ${each.after.join(', ')}`);
      continue;
    }
    if (mustGiveWay(each) && !hasGivenWay(rollout, each)) {
      giving.push(each);
      waits.push(`${each.from ?? ''} to stop`);
      continue;
    }
    // It must still be well when the last of them is: a service that was verified and then died is not.
    if (to.healthy < to.wanted || to.wanted === 0) {
      waits.push(`${each.to} (${to.healthy} of ${to.wanted} healthy)`);
      continue;
    }
    if (verified.includes(each.service)) continue;
    const job = jobsOf(rollout, observed, each, ['smoke', 'check']).find(({ work }) => work.state !== 'done');
    if (job === undefined) {
      verified.push(each.service);
      continue;
    }
    waits.push(`the ${titleOf(job)} of ${each.to}`);
    if (job.work.state === 'absent') actions.push(begin(rollout, job));
  }
  return { verified, giving, waits, actions };
}

const begin = (rollout: Rollout, job: Job): Action => ({
  kind: job.kind,
  service: job.service.service,
  attempt: attemptOf(rollout, job),
});

function verifiedAll(rollout: Rollout, observed: Observed, now: number): Decision {
  const next = beginAnalysis(rollout, observed);
  const [first] = rollout.policy.canary;
  if (first === undefined) return gate(next, now, 'verified; no canary is asked for', {});
  if (Object.keys(next.analysis).length === 0)
    return gate(next, now, 'verified; there is no former release to compare with', {});
  const slow = Object.fromEntries(Object.entries(next.analysis).map(([name, each]) => [name, each.slow]));
  const reason = `verified; ${first.weight} % of ${sharedOut(rollout)} go to the canary`;
  return enter(next, 'canary', now, reason, { weight: first.weight, slow });
}
