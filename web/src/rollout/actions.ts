import type { ApprovalKind, RolloutView, SteerKind } from '../../../src/api/contract/rollouts.ts';

/** Something that a person may ask of a rollout as it is now. */
export interface Action {
  readonly kind: SteerKind | ApprovalKind;
  /** On the button. */
  readonly name: string;
  /** What comes of it, in a sentence. */
  readonly means: string;
  readonly style: 'primary' | 'plain' | 'danger';
}

const PROMOTED = new Set(['watching', 'contracting']);

/**
 * What keeps somebody, named as rollouts name people, from approving it; null: nothing does. The controller knows people
 * by more than this name, and refuses whatever is shown.
 */
export function whyNoApproval({ requestedBy, approvals }: RolloutView, me: string | null): string | null {
  if (me === null) return null;
  if (requestedBy === me) return 'You asked for this rollout: somebody else approves it.';
  return approvals.given.some(({ by }) => by === me) ? 'You have approved it: somebody else has to, too.' : null;
}

/** Whether approvals are missing, and can be given. */
export function waitsForApproval({ end, phase, paused, approvals }: RolloutView): boolean {
  if (end !== null || PROMOTED.has(phase) || approvals.needed <= approvals.given.length) return false;
  return paused?.reason === 'approval' || phase === 'canary';
}

/** For `me`, as rollouts name people. What helps now comes first; what takes back is always the last. */
export function actionsFor(rollout: RolloutView, me: string | null): Action[] {
  const { end, phase, paused, approvals, services, removes } = rollout;
  if (end !== null) return [];
  const waits = paused?.reason === 'approval';
  const missing = approvals.needed - approvals.given.length;
  const actions: Action[] = [];
  if (waitsForApproval(rollout) && whyNoApproval(rollout, me) === null)
    actions.push({
      kind: 'approve',
      name: 'Approve',
      means:
        missing === 1
          ? 'No more approvals are needed after yours: it goes on to all traffic when its canary has passed.'
          : `Yours, and then ${missing - 1} more.`,
      style: 'primary',
    });
  if (waits)
    actions.push({
      kind: 'reject',
      name: 'Reject',
      means: 'It is taken back; the former release keeps all traffic.',
      style: 'danger',
    });
  if ((phase === 'canary' && !waits) || (paused !== null && PROMOTABLE.has(paused.reason)))
    actions.push({
      kind: 'promote',
      name: 'Promote',
      means:
        paused === null || paused.reason === 'inconclusive'
          ? 'It goes on to all traffic now, without waiting for the verdict.'
          : 'It goes on as if the job had succeeded.',
      style: 'plain',
    });
  if (paused === null && !PROMOTED.has(phase) && phase !== 'promoting')
    actions.push({
      kind: 'pause',
      name: 'Pause',
      means: 'It stays where it is until somebody resumes it; analysis goes on.',
      style: 'plain',
    });
  if (paused !== null && !waits)
    actions.push({
      kind: 'resume',
      name: 'Resume',
      means: RESUMES[paused.reason] ?? 'It goes on from where it is.',
      style: 'primary',
    });
  const canGoBack = services.some(({ from }) => from !== null) || removes.length > 0;
  if (phase === 'watching') {
    if (canGoBack)
      actions.push({
        kind: 'abort',
        name: 'Roll back',
        means: 'The former release gets all traffic back, at once: it is still running.',
        style: 'danger',
      });
  } else if (phase === 'contracting')
    actions.push({
      kind: 'abort',
      name: 'Leave it',
      means: 'The contract is not run; the new release keeps all traffic.',
      style: 'danger',
    });
  else if (!waits)
    actions.push({
      kind: 'abort',
      name: 'Abort',
      means: 'It is taken back at once; the former release gets all traffic.',
      style: 'danger',
    });
  return actions;
}

/** Pauses that a promotion goes on from. */
const PROMOTABLE = new Set(['inconclusive', 'unknown-job', 'contract']);

const RESUMES: Readonly<Record<string, string>> = {
  inconclusive: 'This step gets its time again.',
  'unknown-job': 'The job is run again.',
  contract: 'The contract is run again.',
};

/** Approvals and what steers are two operations of the API. */
export const isApproval = (kind: Action['kind']): kind is ApprovalKind => kind === 'approve' || kind === 'reject';
