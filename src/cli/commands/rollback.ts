import type { CommandSpec } from '../command.ts';
import type { ExitCode } from '../deps.ts';
import type { Context } from '../context.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { formatDuration } from '../../lib/format.ts';
import type { Input } from '../command.ts';
import { stopped } from '../screen/text.ts';

export const rollback: CommandSpec = {
  name: 'rollback',
  summary: 'go back to the former release',
  description:
    'While the former release is hot (within the rollback window, or before promotion) this is a switch at the edge, and it answers once the former release has all traffic. Later it is a new rollout of the old files with their old configuration.',
  arguments: [{ usage: '[service]', description: 'which; may be left out with --all, or when --to names a release' }],
  options: [
    { flags: '--to <release>', description: 'an older release, such as api@41, or its version label' },
    {
      flags: '--all',
      description: 'every service of the last rollout; what was taken down with it comes back only while it is hot',
    },
    { flags: '--comment <text>', description: 'why, for the story' },
  ],
  examples: [
    { command: 'evenkeel rollback api', means: 'the former release, at once' },
    { command: 'evenkeel rollback api --to v1.5.2', means: 'an older one' },
    { command: 'evenkeel rollback --all --env production', means: 'everything that was shipped together' },
  ],
  run,
};

async function run(context: Context, input: Input): Promise<ExitCode> {
  const { out } = context;
  const to = input.text('to');
  // A release says of which service it is; a label does not.
  const service = input.text('service') ?? /^([a-z][a-z0-9-]*)@\d+$/.exec(to ?? '')?.[1] ?? null;
  const all = input.flag('all');
  if (service === null && !all) {
    throw new EvenkeelError({
      code: 'usage',
      what: '`rollback` wants a service, or --all',
      next: 'evenkeel rollback SERVICE; `evenkeel status` lists them',
    });
  }
  const scope = await context.scope();
  const client = await context.client();
  const started = performance.now();
  const reply = await client.rollback({
    ...scope,
    service,
    all,
    to,
    comment: input.text('comment'),
  });
  const ms = Math.round(performance.now() - started);
  if (reply.unwritten !== undefined) {
    const { done } = reply.unwritten;
    const exit = done ? 0 : 2;
    const mark = done ? out.style.yellow(out.style.symbols.done) : out.style.red(out.style.symbols.failed);
    out.prose(`${mark} ${reply.message}`, 2);
    const outcome = done ? 'rolled-back' : 'asked';
    const { rollout: id, message: said, unwritten } = reply;
    out.data({ type: 'result', outcome, exit, rollout: id, message: said, unwritten, ms });
    return exit;
  }
  const rollout = reply.rollout === null ? null : await client.getRollout({ rollout: reply.rollout });
  // An old release that was cold is on its way like any new one.
  if (rollout !== null && rollout.kind === 'rollback' && rollout.end === null) {
    out.line('That release is not hot any more: it is started again.');
    const { followBegun } = await import('../ship.ts');
    return followBegun(context, client, reply, 'promoted', scope);
  }
  // Asked for is not done: a migration that runs may end first.
  if (rollout !== null && rollout.end === null) {
    out.prose(`${out.style.yellow(out.style.symbols.paused)} Not taken back yet: ${stopped(reply.message)}`, 2);
    out.data({ type: 'result', outcome: 'asked', exit: 2, rollout: reply.rollout, message: reply.message, ms });
    return 2;
  }
  const message = `${reply.message} (${formatDuration(ms)})`;
  out.line(`${out.style.green(out.style.symbols.done)} ${message}`);
  out.data({ type: 'result', outcome: 'rolled-back', exit: 0, rollout: reply.rollout, message: reply.message, ms });
  return 0;
}
