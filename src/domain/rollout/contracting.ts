import { overdue } from './clocks.ts';
import { attemptOf, type Job, jobsOf, unknownEnd } from './jobs.ts';
import { type Observed, seen } from './observed.ts';
import type { ContractState, OperatorRequest, Rollout, RolloutService } from './rollout.ts';
import { type Decision, enter, hold, note, pause, unpause, wait } from './transition.ts';

/**
 * After the window: what only the former releases needed is taken away, by a job with the new release's code. There is
 * no way back behind it, so nothing here takes the rollout back. It begins once the former releases are gone, runs once,
 * and what does not end well asks a person; whatever comes of it, the rollout ends as complete.
 */
export function contracting(given: Rollout, observed: Observed, now: number): Decision {
  const rollout = withEnds(given, observed);
  const job = openContract(rollout, observed);
  if (job === null) return enter(rollout, 'complete', now, `contracted ${names(rollout, 'done')}`);
  const { state } = job.work;
  // What is running is waited for: half of it is worse than all of it.
  const starting = awaitsStart(rollout, job) && rollout.paused === null;
  if (observed.superseded && state !== 'running' && !starting)
    return enter(rollout, 'complete', now, `superseded by a newer rollout${leftUndone(rollout)}`);
  const late = overdue(rollout, now);
  if (rollout.paused !== null) {
    if (late !== null) return enter(rollout, 'complete', now, `${late}${leftUndone(rollout)}`);
    return state === 'running' ? { ...hold(rollout, now), actions: [stop(job)] } : hold(rollout, now);
  }
  if (state === 'failed') return pause(rollout, 'contract', now, failedEnd(job));
  if (state === 'unknown') return pause(rollout, 'unknown-job', now, unknownEnd(job));
  if (late !== null) return pause(rollout, 'contract', now, `${late}; ${lateEnd(job)}`);
  if (state === 'running') return wait(rollout, now, `contracting ${job.service.to}`);
  if (starting)
    return wait(rollout, now, `contracting ${job.service.to}`, [
      { kind: 'contract', service: job.service.service, attempt: attemptOf(rollout, job) },
    ]);
  const waits = notReady(rollout, observed);
  if (waits.length > 0)
    return wait(rollout, now, `before the contract of ${job.service.to}: waiting for ${waits.join('; ')}`);
  const begun = { ...rollout, contract: { ...rollout.contract, [job.service.service]: 'begun' as const } };
  const reason = `the contract of ${job.service.to} begins; releases before it cannot be gone back to from here on`;
  return note(begun, now, reason, { service: job.service.service, release: job.service.to });
}

/** What the contract needs to be gone, or there, before it may begin. */
function notReady(rollout: Rollout, observed: Observed): string[] {
  const waits = rollout.services.flatMap((each) => {
    const { to, from } = seen(observed, each);
    if (each.from !== null && from?.present === true) return [`${each.from} to stop`];
    // Nobody could go back from a release that is not well, once it has begun.
    return to.healthy < 1 ? [`a healthy instance of ${each.to}`] : [];
  });
  return observed.schemaBusy === null ? waits : [...waits, observed.schemaBusy];
}

/** Somebody asked for an end: what runs may end unless it is forced, and nothing else is begun. */
export function leaveContract(
  rollout: Rollout,
  heard: Rollout,
  { observed, request, asked }: { observed: Observed; request: OperatorRequest; asked: string },
  now: number,
): Decision {
  const known = withEnds(heard, observed);
  const job = openContract(known, observed);
  if (job === null) return enter(known, 'complete', now, `contracted ${names(known, 'done')}`);
  const waiting = unpause(rollout, now);
  const late = overdue(waiting, now);
  if (job.work.state === 'running' && !request.force && late === null) {
    const reason = `${request.kind} by ${request.by} waits for the contract of ${job.service.to} to end (--force does not wait)`;
    return rollout.reason === reason ? wait(waiting, now, reason) : note(waiting, now, reason);
  }
  const stopped = job.work.state === 'running' && late !== null ? `; it is stopped: ${late}` : '';
  return enter(known, 'complete', now, `${asked}${stopped}${leftUndone(known)}`);
}

/** The first contract that has not ended well and for which nobody vouched; null when there is none left. */
export const openContract = (rollout: Rollout, observed: Observed): Job | null =>
  rollout.services
    .flatMap((each) => jobsOf(rollout, observed, each, ['contract']))
    .find((job) => job.work.state !== 'done' || rollout.contract[job.service.service] === undefined) ?? null;

/** It is written down that it begins, and it has not been started yet. */
const awaitsStart = (rollout: Rollout, { service, work }: Job): boolean =>
  work.state === 'absent' && rollout.contract[service.service] === 'begun';

/** A contract that is about to run, or runs: nothing else may change a database meanwhile. In words, or null. */
export function contractUnderWay(rollout: Rollout, observed: Observed): string | null {
  const live = rollout.services.find((each) => {
    const { contract } = seen(observed, each);
    return contract.state === 'running' || (rollout.end === null && isDue(rollout, each, contract.state));
  });
  return live === undefined ? null : `the contract of ${live.to}`;
}

/** A newer rollout of other services may be further than an older one. One that is paused may still have its job run. */
export const hasBegunContract = ({ end, phase, contract }: Rollout): boolean =>
  end === null && phase === 'contracting' && Object.values(contract).includes('begun');

const isDue = (rollout: Rollout, each: RolloutService, state: string): boolean =>
  rollout.paused === null &&
  state === 'absent' &&
  rollout.contract[each.service] === 'begun' &&
  !rollout.waived.includes(`contract.${each.service}`);

/** The ends that were seen, written down: their jobs are forgotten with the rollout. */
function withEnds(rollout: Rollout, observed: Observed): Rollout {
  const contract = { ...rollout.contract };
  for (const each of rollout.services) {
    const before = contract[each.service];
    const { state } = seen(observed, each).contract;
    if (before !== undefined && (state === 'done' || state === 'failed' || state === 'unknown'))
      contract[each.service] = rollout.waived.includes(`contract.${each.service}`) ? before : state;
  }
  const same = rollout.services.every(({ service }) => contract[service] === rollout.contract[service]);
  return same ? rollout : { ...rollout, contract };
}

/** Run once more, from the beginning: with a new name, and all of its time. */
export function repeatContract(rollout: Rollout, job: Job, now: number): Rollout {
  const { service } = job.service;
  const begun = rollout.contract[service] !== undefined;
  const attempts = begun ? { ...rollout.attempts, [job.name]: attemptOf(rollout, job) + 1 } : rollout.attempts;
  const contract = begun ? { ...rollout.contract, [service]: 'begun' as const } : rollout.contract;
  return { ...afresh(rollout, now), attempts, contract };
}

/** A person says that it is as if it had ended well. */
export const vouchForContract = (rollout: Rollout, job: Job, now: number): Rollout => ({
  ...afresh(rollout, now),
  waived: [...rollout.waived, job.name],
  contract: { ...rollout.contract, [job.service.service]: 'done' },
});

const afresh = (rollout: Rollout, now: number): Rollout => ({ ...rollout, phaseSince: now, phasePausedMs: 0 });

/** For the end of a reason: what was not contracted, and what becomes of it; empty when nothing is left. */
export function leftUndone(rollout: Rollout): string {
  const said = rollout.services
    .filter((each) => each.contracts && rollout.contract[each.service] !== 'done')
    .map((each) => `the contract of ${each.to} ${UNDONE[rollout.contract[each.service] ?? 'due']}`);
  return said.length === 0 ? '' : `; ${said.join(', ')}, and is left to that of a later release`;
}

const UNDONE: Record<ContractState | 'due', string> = {
  due: 'has not begun',
  begun: 'did not end',
  failed: 'failed',
  unknown: 'has an unknown end',
  done: 'is done',
};

const names = (rollout: Rollout, state: ContractState): string =>
  rollout.services
    .filter((each) => rollout.contract[each.service] === state)
    .map((each) => each.to)
    .join(', ');

const stop = (job: Job) => ({ kind: 'cancel-work' as const, service: job.service.service, migrations: true });

const WAYS = 'resume runs it again, promote goes on as if it had succeeded, abort leaves it';

const failedEnd = (job: Job): string => `the contract of ${job.service.to} failed (${WAYS}): ${job.work.detail}`;

const lateEnd = (job: Job): string =>
  job.work.state === 'running'
    ? `the contract of ${job.service.to} is stopped (${WAYS})`
    : `the contract of ${job.service.to} could not begin (${WAYS})`;
