import { EvenkeelError } from '../../ports/errors.ts';
import { plural } from '../../lib/format.ts';
import type { CloudPlan } from '../../api/contract/cloud/plan.ts';
import type { CloudEvent, CloudResult } from '../../api/contract/cloud/run.ts';
import type { Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { openDesk } from './open-desk.ts';
import { openProgress } from './progress.ts';
import { leftUndone, openQuestions, phraseTyped } from './questions.ts';
import { showPlan } from './show-plan.ts';
import { showResult } from './show-result.ts';

export async function plan(context: Context, input: Input): Promise<void> {
  const desk = await openDesk(context, input);
  const { document } = await desk.plan(input.list('only'), context.interrupt.signal);
  context.out.data(document);
  if (!context.out.json) showPlan(document, context.out, { all: input.flag('all') });
}

export const setup = (context: Context, input: Input): Promise<ExitCode> =>
  carryOut(context, input, input.list('only'), 'setup');

/** Only the APIs: free, and the only thing that a person may want on its own first. */
export const enable = (context: Context, input: Input): Promise<ExitCode> =>
  carryOut(context, input, ['apis'], 'enable');

async function carryOut(context: Context, input: Input, only: string[], verb: string): Promise<ExitCode> {
  const { out, interrupt } = context;
  const desk = await openDesk(context, input);
  const prepared = await desk.plan(only, interrupt.signal);
  const { document } = prepared;
  if (!out.json) showPlan(document, out, { all: false });
  refuseBlind(document);
  if (document.changes > 0) {
    await agree(context, document);
    out.line('');
  }
  const again = ['evenkeel cloud', verb, ...(verb === 'setup' ? only.map((word) => `--only ${word}`) : [])];
  const result = await followed(context, (onEvent, signal) => prepared.run(onEvent, signal));
  return showResult(result, out, { nothing: 'Nothing to do.', again: desk.hint(again.join(' ')) });
}

/** What cannot be seen would be made a second time, or be left as it is: neither is what was asked for. */
function refuseBlind({ unknown, impossible }: CloudPlan): void {
  if (impossible.length > 0)
    throw new EvenkeelError({
      code: 'cloud-impossible',
      what: 'nothing was done: the file asks for what nobody can do to what is there',
      why: impossible.map(({ address, reason }) => `${address}: ${reason}`).join('\n'),
      next: 'correct evenkeel.yaml',
    });
  const [first] = unknown;
  if (first === undefined) return;
  throw new EvenkeelError({
    code: 'cloud-blind',
    what: `nothing was done: ${unknown.map(({ kind }) => kind).join(', ')} could not be looked at`,
    why: first.problem.message,
    next: first.problem.next ?? 'try again',
    retryable: unknown.every(({ problem }) => problem.retryable),
  });
}

async function agree(context: Context, { losing, changes, environment }: CloudPlan): Promise<void> {
  if (losing.length > 0) {
    const questions = openQuestions(context);
    try {
      const phrase = `REPLACE ${losing.map((address) => address.slice(address.indexOf('/') + 1)).join(' ')}`;
      if (!(await phraseTyped(questions, `Type ${phrase} to lose what is in there:`, phrase))) throw leftUndone();
    } finally {
      questions.close();
    }
  } else {
    await confirm(context, `Make ${plural(changes, 'change')} in ${environment}?`);
  }
}

/** Shows events until it is over; what it throws leaves the terminal as it should be, too. */
export async function followed(
  context: Context,
  run: (onEvent: (event: CloudEvent) => void, signal: AbortSignal) => Promise<CloudResult>,
): Promise<CloudResult> {
  const progress = openProgress(context);
  try {
    return await run((event) => progress.event(event), context.interrupt.signal);
  } finally {
    progress.end();
  }
}
