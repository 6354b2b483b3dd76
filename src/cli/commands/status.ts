import type { StatusReply } from '../../api/contract/status.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { statusLines } from '../show-status.ts';

export const status: CommandSpec = {
  name: 'status',
  summary: 'what runs, how well, and what is under way',
  description: 'As it is observed now, never as it was meant to be. Inside a project its environments, elsewhere all.',
  examples: [
    { command: 'evenkeel status', means: 'the environments of this project' },
    { command: 'evenkeel status --env production --json', means: 'one of them, for scripts' },
  ],
  run,
};

async function run(context: Context): Promise<void> {
  const { globals, out, deps, interrupt } = context;
  const project = await context.projectName();
  // Here the default environment would hide the others.
  const environment = globals.environment ?? deps.env['EVENKEEL_ENV'] ?? '';
  const client = await context.client();
  const asked = client.getStatus({
    ...(project === null ? {} : { project }),
    ...(environment === '' ? {} : { environment }),
  });
  const reply: StatusReply = await interruptible(interrupt.signal, asked);
  out.line(
    ...statusLines(reply, {
      style: out.style,
      columns: out.columns(),
      now: deps.now(),
      project,
      environment: environment === '' ? null : environment,
    }),
  );
  out.data(reply);
}
