import { setTimeout as sleep } from 'node:timers/promises';
import type { ApprovalKind, RequestReply, RolloutView, SteerKind } from '../api/contract/rollouts.ts';
import { formatPercent } from '../lib/format.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { ApiClient } from '../api/contract/client.ts';
import type { ArgumentSpec, Input, OptionSpec } from './command.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './deps.ts';
import { findActive } from './find-rollout.ts';
import { formerReleases, has, holds, newReleases, waysOn } from './follow/words.ts';
import { stopped } from './screen/text.ts';

export const ROLLOUT_ARGUMENT: ArgumentSpec = {
  usage: '[rollout]',
  description: 'its id, or a service; default: the only one under way',
};
export const COMMENT_OPTION: OptionSpec = { flags: '--comment <text>', description: 'why, for the story' };

/** How long the command waits to see what came of it, ms. */
const EFFECT_MS = 10_000;
const LOOK_EVERY_MS = 100;

type Kind = SteerKind | ApprovalKind;

/** Asks something of a rollout under way, waits briefly for the effect, and says what is now so. */
export async function askRollout(context: Context, input: Input, kind: Kind): Promise<ExitCode> {
  const { out } = context;
  const client = await context.client();
  const before = await findActive(context, client, input.text('rollout'));
  if (kind === 'approve' || kind === 'reject') requireOpenGate(before, kind);
  const asked = { rollout: before.id, comment: input.text('comment') };
  const reply =
    kind === 'approve' || kind === 'reject'
      ? client.answerApproval({ ...asked, kind })
      : client.steerRollout({ ...asked, kind, force: input.flag('force') });
  const { answer, unwritten, ...first } = await reply.catch(async (error: unknown): Promise<RequestReply> => {
    // It was under way a moment ago. What it has come to is the answer, whoever asked for it first.
    if (before.end !== null || !(error instanceof EvenkeelError) || error.code !== 'rollout-over') throw error;
    return { ...(await client.getRollout({ rollout: before.id })), answer: null };
  });
  if (unwritten !== undefined) {
    const mark = unwritten.done ? out.style.yellow(out.style.symbols.done) : out.style.red(out.style.symbols.failed);
    out.prose(`${mark} ${unwritten.message}`, 2);
    out.data({ ...first, unwritten });
    return unwritten.done ? 0 : 2;
  }
  const after = await settled(context, client, first, kind);
  const { style } = out;
  const { done, exit, text } = effect(kind, before, after, answer);
  const mark =
    exit === 3
      ? style.yellow(style.symbols.paused)
      : done
        ? style.green(style.symbols.done)
        : style.red(style.symbols.failed);
  out.prose(`${mark} ${text}`, 2);
  const ways = exit === 3 ? waysOn(after) : [];
  const width = Math.max(0, ...ways.map(({ command }) => command.length));
  for (const { command, means } of ways) out.line(`  ${command.padEnd(width)}  ${means}`);
  out.data(after);
  return exit;
}

/** Throws `nothing-to-approve` when nobody's word is asked for: saying yes to what is done would sound like more. */
function requireOpenGate(rollout: RolloutView, kind: string): void {
  const { id, approvals, promotedAt, services, environment } = rollout;
  if (approvals.needed > 0 && promotedAt === null) return;
  const what = newReleases(rollout);
  const [only] = services;
  const name = services.length === 1 && only !== undefined ? only.service : '--all';
  const env = environment === 'development' ? '' : ` --env ${environment}`;
  const goBack =
    promotedAt === null ? `evenkeel abort ${id} takes it back` : `evenkeel rollback ${name}${env} goes back`;
  throw new EvenkeelError({
    code: 'nothing-to-approve',
    what: `${what} in ${environment} does not wait for approval`,
    why:
      promotedAt === null
        ? `no \`approve\` is asked for in ${environment}`
        : `${services.length === 1 ? 'it has' : 'they have'} all traffic already`,
    next: kind === 'approve' ? 'evenkeel status shows what waits; --env names another environment' : goBack,
  });
}

const TAKES_BACK = new Set<Kind>(['abort', 'reject']);

/** Taken back is only said when traffic and instances were seen to be so. */
async function settled(context: Context, client: ApiClient, first: RolloutView, kind: Kind): Promise<RolloutView> {
  let view = first;
  const deadline = performance.now() + EFFECT_MS;
  while (isOpen(view, kind) && performance.now() < deadline && !context.interrupt.signal.aborted) {
    await sleep(LOOK_EVERY_MS);
    view = await client.getRollout({ rollout: view.id });
  }
  return view;
}

function isOpen(view: RolloutView, kind: Kind): boolean {
  const { end, settled: isSettled, phase, promotedAt, paused, approvals } = view;
  if (TAKES_BACK.has(kind)) return end === null || !isSettled;
  if (end !== null || promotedAt !== null || paused !== null) return false;
  if (kind === 'promote') return phase === 'promoting';
  // The last approval that was missing is followed by the promotion, unless the canary still has its steps to take.
  const enough = approvals.needed > 0 && approvals.given.length >= approvals.needed;
  return kind === 'approve' && enough && phase !== 'canary';
}

interface Effect {
  done: boolean;
  exit: ExitCode;
  text: string;
}

function effect(kind: Kind, before: RolloutView, after: RolloutView, answer: RequestReply['answer']): Effect {
  if (before.phase === 'contracting') return effectOnContract(before, after, answer);
  const what = newReleases(after);
  const verb = after.services.length === 1 ? 'is' : 'are';
  if (after.end !== null && after.end !== 'complete') {
    const former = formerReleases(after);
    const serves = former === '' ? 'nothing serves instead' : `${former} ${has(former.split(', ').length)} all traffic`;
    const taken = `${what} ${verb} taken back (${after.end}); ${after.settled ? serves : 'its instances are still being stopped'}.`;
    return TAKES_BACK.has(kind)
      ? { done: true, exit: 0, text: taken }
      : { done: false, exit: 2, text: `${taken} ${stopped(after.reason)}` };
  }
  if (TAKES_BACK.has(kind)) return { done: false, exit: 2, text: `Not taken back yet: ${stopped(after.reason)}` };
  if (kind === 'pause') {
    return after.paused === null
      ? { done: false, exit: 2, text: `Not paused: ${stopped(after.reason)}` }
      : {
          done: true,
          exit: 0,
          text: `${what} ${verb} paused ${where(after)}; its clock stands still. evenkeel resume goes on.`,
        };
  }
  // Why it was not counted says more than that it still waits.
  if (kind === 'approve' && answer !== null && answer.refused !== null)
    return { done: false, exit: after.paused === null ? 2 : 3, text: stopped(answer.reason) };
  if (after.paused !== null) {
    const changed = after.paused.reason !== before.paused?.reason || after.paused.since !== before.paused.since;
    return { done: changed, exit: 3, text: `Still paused: ${stopped(after.paused.detail)}` };
  }
  if (after.promotedAt !== null) {
    return { done: true, exit: 0, text: `${what} ${holds(after)}.` };
  }
  if (answer !== null && answer.refused !== null) return { done: false, exit: 2, text: stopped(answer.reason) };
  return { done: true, exit: 0, text: `${what} ${verb} ${where(after)}: ${after.reason}.` };
}

/** Behind the window there is nothing to take back: what was asked is run again, vouched for or left. */
function effectOnContract(before: RolloutView, after: RolloutView, answer: RequestReply['answer']): Effect {
  if (answer !== null && answer.refused !== null) return { done: false, exit: 2, text: stopped(answer.reason) };
  if (after.paused === null) return { done: true, exit: 0, text: stopped(after.reason) };
  const changed = after.paused.since !== before.paused?.since;
  return { done: changed, exit: 3, text: `Still paused: ${stopped(after.paused.detail)}` };
}

function where({ phase, canary }: RolloutView): string {
  return phase === 'canary' ? `in the canary at ${formatPercent(canary.weight)}` : `in phase ${phase}`;
}
