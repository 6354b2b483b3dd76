import type { CommandSpec } from '../command.ts';
import { findNewest } from '../find-rollout.ts';
import { follow } from '../follow/follow.ts';
import { report } from '../follow/report.ts';

export const watch: CommandSpec = {
  name: 'watch',
  summary: 'follow a rollout',
  description:
    'Shows the rollout under way, else the newest, until its rollback window is over. Ctrl-C leaves; the rollout goes on.',
  arguments: [{ usage: '[rollout]', description: 'its id, or a service; default: the newest' }],
  examples: [
    { command: 'evenkeel watch', means: 'the newest one' },
    { command: 'evenkeel watch --json', means: 'every event as a line of JSON' },
  ],
  async run(context, input) {
    const { id } = await findNewest(context, await context.client(), input.text('rollout'));
    // At a terminal somebody watches until another person has decided; a program would wait for a day.
    const followed = await follow(context, id, { until: 'complete', leaveOnPause: !context.out.terminal });
    return report(context, id, followed);
  },
};
