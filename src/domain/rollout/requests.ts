import type { Observed } from './observed.ts';
import type { OperatorRequest, Rollout } from './rollout.ts';
import { type Decision, enter, finish, pause, stay, unpause } from './transition.ts';
import { gate } from './gate.ts';

const TAKES_BACK = new Set(['abort', 'reject', 'rollback', 'supersede']);

/**
 * Answers what people asked of the rollout, oldest first, except that taking back wins over anything asked before it.
 * Null when nothing is asked.
 */
export function answerRequests(rollout: Rollout, observed: Observed, now: number): Decision | null {
  const open = observed.requests.filter((request) => request.seq > rollout.requestSeq);
  const first = open[0];
  if (first === undefined) return null;
  const takers = open.filter((request) => TAKES_BACK.has(request.kind));
  const taker = takers.find((request) => request.force) ?? takers[0];
  if (taker !== undefined) return takeBack(rollout, observed, taker, Math.max(...open.map((each) => each.seq)), now);
  return answer({ ...rollout, requestSeq: first.seq }, first, now);
}

function takeBack(rollout: Rollout, observed: Observed, request: OperatorRequest, seq: number, now: number): Decision {
  const said = request.comment === null ? '' : `: ${request.comment}`;
  if (request.kind === 'supersede') {
    // Only a rollout in its window can be superseded; any earlier phase is taken back by the newer rollout's --replace.
    const reason = `superseded by a newer rollout${said}`;
    if (rollout.phase === 'watching') return enter({ ...rollout, requestSeq: seq }, 'complete', now, reason);
  }
  // Half a migration is worse than a whole one: without force it may end, and nothing else of the rollout goes on.
  const migrates = rollout.services.filter((each) => observed.services[each.service]?.migration.state === 'running');
  if (rollout.phase === 'migrating' && migrates.length > 0 && !request.force)
    return stay(rollout, `${request.kind} by ${request.by} waits for the running migration to end (--force does not wait)`);
  if (rollout.phase === 'watching') {
    if (rollout.services.every((each) => each.from === null))
      return stay(
        { ...rollout, requestSeq: seq },
        `${request.kind} by ${request.by} is not possible: this was the first release, there is no former one`,
        now,
      );
    return finish({ ...rollout, requestSeq: seq }, 'rolled-back', now, `rolled back by ${request.by}${said}`);
  }
  const verb = { reject: 'rejected', supersede: 'replaced' }[request.kind as string] ?? 'aborted';
  return finish({ ...rollout, requestSeq: seq }, 'aborted', now, `${verb} by ${request.by}${said}`, {
    phase: rollout.phase,
    forced: request.force,
  });
}

function answer(rollout: Rollout, request: OperatorRequest, now: number): Decision {
  switch (request.kind) {
    case 'pause':
      if (rollout.phase === 'watching' || rollout.phase === 'promoting')
        return noted(rollout, now, `pause by ${request.by} has no effect while ${rollout.phase}`);
      if (rollout.paused?.reason === 'operator') return noted(rollout, now, `already paused`);
      return pause(unpause(rollout, now), 'operator', now, `paused by ${request.by}${comment(request)}`);
    case 'resume':
      return resume(rollout, request, now);
    case 'promote':
      return promote(rollout, request, now);
    case 'approve': {
      if (rollout.approvals.some((each) => each.by === request.by))
        return noted(rollout, now, `${request.by} has approved already`);
      const approvals = [...rollout.approvals, { by: request.by, at: request.at, comment: request.comment }];
      const needed = `${approvals.length} of ${rollout.approvalsNeeded}`;
      const approved = noted({ ...rollout, approvals }, now, `approved by ${request.by} (${needed})${comment(request)}`);
      if (rollout.paused?.reason !== 'approval' || approvals.length < rollout.approvalsNeeded) return approved;
      return { ...approved, next: unpause(approved.next, now) };
    }
    case 'abort':
    case 'reject':
    case 'rollback':
    case 'supersede':
      throw new Error(`${request.kind} takes back and is answered before`);
  }
}

function resume(rollout: Rollout, request: OperatorRequest, now: number): Decision {
  if (rollout.paused === null) return noted(rollout, now, `resume by ${request.by}: it was not paused`);
  const running = unpause(rollout, now);
  const reason = `resumed by ${request.by}${comment(request)}`;
  switch (rollout.paused.reason) {
    case 'approval':
      return noted(rollout, now, `resume by ${request.by} does not approve: use approve or reject`);
    case 'inconclusive':
      // Look again for as long as the step was meant to last; the evidence so far stays.
      return noted({ ...running, stepSince: now, stepPausedMs: 0 }, now, `${reason}: the step is measured once more`);
    case 'unknown-job': {
      const work = rollout.paused.detail.split(' ')[0] ?? '';
      const attempts = { ...running.attempts, [work]: (running.attempts[work] ?? 1) + 1 };
      return noted({ ...running, attempts }, now, `${reason}: ${work} is run again`);
    }
    case 'operator':
      return noted(running, now, reason);
  }
}

function promote(rollout: Rollout, request: OperatorRequest, now: number): Decision {
  const reason = `promoted by ${request.by}${comment(request)}`;
  if (rollout.paused?.reason === 'unknown-job') {
    const work = rollout.paused.detail.split(' ')[0] ?? '';
    const waived = [...rollout.waived, work];
    return noted({ ...unpause(rollout, now), waived }, now, `${request.by} vouches for ${work}${comment(request)}`);
  }
  if (rollout.phase !== 'canary') return noted(rollout, now, `promote by ${request.by} has no effect while ${rollout.phase}`);
  if (rollout.paused?.reason === 'approval')
    return noted(rollout, now, `promote by ${request.by} does not approve: use approve or reject`);
  const steps = rollout.policy.canary.length;
  const detail = { by: request.by, skippedSteps: steps - rollout.step - 1 };
  // The remaining steps are skipped, the approvals are not.
  return gate({ ...unpause(rollout, now), step: steps }, now, reason, detail);
}

function noted(rollout: Rollout, now: number, reason: string): Decision {
  return {
    next: { ...rollout, reason },
    journal: [{ at: now, from: rollout.phase, to: rollout.phase, reason, detail: {} }],
    actions: [],
    reason,
    wakeAt: now,
  };
}

const comment = (request: OperatorRequest): string => (request.comment === null ? '' : `: ${request.comment}`);
