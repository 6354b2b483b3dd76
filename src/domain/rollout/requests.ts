import { isPromoted } from './active.ts';
import { overdue } from './clocks.ts';
import { pastSteps } from './canary.ts';
import { leaveContract, leftUndone, openContract, repeatContract, vouchForContract } from './contracting.ts';
import { gate, missingApprovals } from './gate.ts';
import { holdsSome } from './giving-way.ts';
import { unknownJob } from './jobs.ts';
import type { Observed } from './observed.ts';
import type { OperatorRequest, Refusal, Rollout } from './rollout.ts';
import { type Decision, enter, finish, note, pause, unpause, wait } from './transition.ts';

const TAKES_BACK = new Set(['abort', 'reject', 'rollback', 'supersede']);

/**
 * What people, or a newer rollout, asked for to take this one back. It wins over anything asked before it, and a forced
 * one over the others. Null when nobody did.
 */
export function takeBack(rollout: Rollout, observed: Observed, now: number): Decision | null {
  const open = unanswered(rollout, observed);
  const takers = open.filter((each) => TAKES_BACK.has(each.kind));
  const request = takers.find((each) => each.force) ?? takers[0];
  if (request === undefined) return null;
  const heard = { ...rollout, requestSeq: Math.max(...open.map((each) => each.seq)) };
  if (rollout.phase === 'watching') return takeBackInWindow(heard, observed, request, now);
  if (rollout.phase === 'contracting')
    return leaveContract(rollout, heard, { observed, request, asked: askedFor(request) }, now);
  const running = rollout.services.filter(
    (each) => each.migrates && observed.services[each.service]?.migration.state === 'running',
  );
  if (rollout.phase === 'migrating' && running.length > 0 && !request.force)
    return awaitMigration(rollout, heard, running.map((each) => each.to).join(', '), request, now);
  const detail = { phase: rollout.phase, forced: request.force };
  return finish(heard, 'aborted', now, askedFor(request), detail);
}

function takeBackInWindow(heard: Rollout, observed: Observed, request: OperatorRequest, now: number): Decision {
  if (observed.superseded || request.kind === 'supersede')
    return enter(heard, 'complete', now, `superseded by a newer rollout${comment(request)}${leftUndone(heard)}`);
  if (heard.removes.length === 0 && heard.opens === null && heard.services.every((each) => each.from === null)) {
    const why = 'this is the first release, there is no former one';
    return refuse(heard, request, now, 'first-release', `is not possible: ${why}`);
  }
  return finish(heard, 'rolled-back', now, `rolled back by ${request.by}${comment(request)}`);
}

/**
 * Half a migration is worse than a whole one: without force it may end, and nothing else of the rollout goes on. The
 * request stays unanswered until then, so a forced one can still cut the wait short. The phase's deadline bounds it,
 * which a pause must not stop.
 */
function awaitMigration(
  rollout: Rollout,
  heard: Rollout,
  what: string,
  request: OperatorRequest,
  now: number,
): Decision {
  const waiting = unpause(rollout, now);
  const late = overdue(waiting, now);
  const asked = askedFor(request);
  if (late !== null) return finish(heard, 'aborted', now, `${asked}; the migration of ${what} is stopped: ${late}`);
  const reason = `${request.kind} by ${request.by} waits for the migration of ${what} to end (--force does not wait)`;
  // Written down once, not at every look.
  return rollout.reason === reason ? wait(waiting, now, reason) : note(waiting, now, reason);
}

/**
 * Answers the oldest of the other requests: its line of the story says in `request` which one, and in `refused` why
 * nothing came of it, if so. Null when nothing is asked.
 */
export function answer(given: Rollout, observed: Observed, now: number): Decision | null {
  const [request] = unanswered(given, observed);
  if (request === undefined) return null;
  const decision = answerTo(request, { ...given, requestSeq: request.seq }, observed, now);
  const journal = decision.journal.map((line) => ({ ...line, detail: { ...line.detail, request: request.seq } }));
  return { ...decision, journal };
}

function answerTo(request: OperatorRequest, rollout: Rollout, observed: Observed, now: number): Decision {
  switch (request.kind) {
    case 'pause':
      if (rollout.phase === 'promoting' || isPromoted(rollout)) return noEffect(rollout, request, now);
      if (rollout.paused?.reason === 'operator')
        return refuse(rollout, request, now, 'already-paused', `has no effect: it is ${rollout.paused.detail}`);
      if (holdsSome(rollout))
        return refuse(
          rollout,
          request,
          now,
          'no-effect',
          'has no effect while a service is held (abort takes it back)',
        );
      return pause(unpause(rollout, now), 'operator', now, `paused by ${request.by}${comment(request)}`);
    case 'resume':
      return resume(rollout, observed, request, now);
    case 'promote':
      return promote(rollout, observed, request, now);
    case 'approve':
      return approve(rollout, request, now);
    case 'abort':
    case 'reject':
    case 'rollback':
    case 'supersede':
      throw new Error(`${request.kind} takes back and is answered before`);
  }
}

function approve(rollout: Rollout, request: OperatorRequest, now: number): Decision {
  if (rollout.phase === 'promoting' || isPromoted(rollout)) return noEffect(rollout, request, now);
  const { by, human, at, comment: said } = request;
  if (human !== null && human === rollout.author)
    return refuse(
      rollout,
      request,
      now,
      'author-approves',
      'has no effect: whoever asked for a rollout does not approve it; somebody else has to',
    );
  if (rollout.approvals.some((each) => (human === null ? each.by === by : each.human === human)))
    return refuse(rollout, request, now, 'approved-already', `has no effect: ${by} has approved already`);
  const approvals = [...rollout.approvals, { by, human, at, comment: said }];
  const next = { ...rollout, approvals };
  const reason = `approved by ${request.by} (${approvals.length} of ${rollout.approvalsNeeded})${comment(request)}`;
  if (rollout.paused?.reason !== 'approval') return note(next, now, reason);
  const missing = missingApprovals(next);
  if (missing === null) return note(unpause(next, now), now, reason);
  return note({ ...next, paused: { ...rollout.paused, detail: `${reason}; ${missing}` } }, now, reason);
}

function resume(rollout: Rollout, observed: Observed, request: OperatorRequest, now: number): Decision {
  const running = unpause(rollout, now);
  const reason = `resumed by ${request.by}${comment(request)}`;
  switch (rollout.paused?.reason) {
    case undefined:
      return refuse(rollout, request, now, 'not-paused', 'has no effect: it is not paused');
    case 'approval':
      return refuse(rollout, request, now, 'not-an-approval', 'does not approve: use approve or reject');
    case 'inconclusive':
      // Look again for as long as the step was meant to last; the evidence so far stays.
      return note({ ...running, stepSince: now, stepPausedMs: 0 }, now, `${reason}: the step is measured once more`);
    case 'unknown-job': {
      if (rollout.phase === 'contracting') return onContract(rollout, observed, request, now);
      const job = unknownJob(rollout, observed);
      if (job === null) return note(running, now, reason);
      const attempts = { ...running.attempts, [job.name]: (running.attempts[job.name] ?? 1) + 1 };
      return note({ ...running, attempts }, now, `${reason}: ${job.name} is run again`);
    }
    case 'contract':
      return onContract(rollout, observed, request, now);
    case 'operator':
      return note(running, now, reason);
  }
}

function promote(rollout: Rollout, observed: Observed, request: OperatorRequest, now: number): Decision {
  switch (rollout.paused?.reason) {
    case 'contract':
      return onContract(rollout, observed, request, now);
    case 'unknown-job': {
      if (rollout.phase === 'contracting') return onContract(rollout, observed, request, now);
      const job = unknownJob(rollout, observed);
      const running = unpause(rollout, now);
      if (job === null) return note(running, now, `resumed by ${request.by}${comment(request)}`);
      const vouched = `${request.by} vouches for ${job.name}${comment(request)}`;
      return note({ ...running, waived: [...running.waived, job.name] }, now, vouched);
    }
    case 'approval':
      return refuse(rollout, request, now, 'not-an-approval', 'does not approve: use approve or reject');
    case 'inconclusive':
    case 'operator':
    case undefined: {
      if (rollout.phase !== 'canary') return noEffect(rollout, request, now);
      // The remaining steps are skipped, the approvals are not.
      const skippedSteps = Math.max(0, rollout.policy.canary.length - rollout.step - 1);
      const reason = `promoted by ${request.by}${comment(request)}`;
      return gate(pastSteps(unpause(rollout, now)), now, reason, { by: request.by, skippedSteps });
    }
  }
}

/** Resume runs it again, promote vouches for it. */
function onContract(rollout: Rollout, observed: Observed, request: OperatorRequest, now: number): Decision {
  const running = unpause(rollout, now);
  const job = openContract(rollout, observed);
  if (job === null) return note(running, now, `resumed by ${request.by}${comment(request)}`);
  if (job.work.state === 'running')
    return refuse(rollout, request, now, 'no-effect', `has no effect yet: ${job.name} is still being stopped`);
  if (request.kind === 'promote')
    return note(vouchForContract(running, job, now), now, `${request.by} vouches for ${job.name}${comment(request)}`);
  const reason = `resumed by ${request.by}${comment(request)}: ${job.name} is run again`;
  return note(repeatContract(running, job, now), now, reason);
}

const noEffect = (rollout: Rollout, request: OperatorRequest, now: number): Decision =>
  refuse(rollout, request, now, 'no-effect', `has no effect while ${rollout.phase}`);

const refuse = (rollout: Rollout, request: OperatorRequest, now: number, refused: Refusal, why: string): Decision =>
  note(rollout, now, `${request.kind} by ${request.by} ${why}`, { refused, request: request.seq });

const unanswered = (rollout: Rollout, observed: Observed): OperatorRequest[] =>
  observed.requests.filter((request) => request.seq > rollout.requestSeq);

function verb(request: OperatorRequest): string {
  if (request.kind === 'reject') return 'rejected';
  return request.kind === 'supersede' ? 'replaced' : 'aborted';
}

const askedFor = (request: OperatorRequest): string => `${verb(request)} by ${request.by}${comment(request)}`;

const comment = (request: OperatorRequest): string => (request.comment === null ? '' : `: ${request.comment}`);
