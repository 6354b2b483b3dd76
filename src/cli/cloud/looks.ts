import { parseDuration } from '../../config/values/duration.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Input } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { openDesk } from './open-desk.ts';
import { showCost } from './show-cost.ts';
import { showList, showStatus, showUrls } from './show-look.ts';

export async function status(context: Context, input: Input): Promise<ExitCode> {
  const desk = await openDesk(context, input);
  const found = await desk.status({ waitMs: waitOf(input) }, context.interrupt.signal);
  context.out.data(found);
  if (!context.out.json) showStatus(found, context.out);
  // A script asks the exit code; what nobody could see is not well.
  return found.level === 'failed' ? 2 : found.level === 'unknown' ? 1 : 0;
}

/** Throws `usage`. */
function waitOf(input: Input): number | null {
  const typed = input.text('wait');
  if (typed === null) return null;
  const ms = parseDuration(typed);
  if (ms !== null && ms > 0) return ms;
  throw new EvenkeelError({
    code: 'usage',
    what: `--wait wants a time such as 30s, not ${typed}`,
    next: 'evenkeel cloud status --wait 30s',
  });
}

export async function list(context: Context, input: Input): Promise<void> {
  const desk = await openDesk(context, input);
  const found = await desk.list(context.interrupt.signal);
  context.out.data(found);
  if (!context.out.json) showList(found, context.out, context.deps.now());
}

export async function cost(context: Context, input: Input): Promise<void> {
  const desk = await openDesk(context, input);
  const found = await desk.cost(context.interrupt.signal);
  context.out.data(found);
  if (!context.out.json) showCost(found, context.out, desk.hint);
}

export async function urls(context: Context, input: Input): Promise<ExitCode> {
  const desk = await openDesk(context, input);
  const check = input.flag('check');
  const found = await desk.urls({ check, write: input.flag('write') }, context.interrupt.signal);
  context.out.data(found);
  if (!context.out.json) showUrls(found, context.out, desk.hint);
  // What is not there does not answer, either.
  return check && found.services.some((each) => each.check?.ok !== true) ? 2 : 0;
}
