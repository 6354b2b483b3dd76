import { askRollout, COMMENT_OPTION, ROLLOUT_ARGUMENT } from '../ask-rollout.ts';
import type { CommandSpec } from '../command.ts';

export const reject: CommandSpec = {
  name: 'reject',
  summary: 'refuse a rollout that waits for approval; it is taken back',
  description: 'The former release has all traffic again, and the new instances are stopped.',
  arguments: [ROLLOUT_ARGUMENT],
  options: [COMMENT_OPTION],
  examples: [{ command: 'evenkeel reject api --comment "wrong branch"', means: 'with the reason' }],
  run: (context, input) => askRollout(context, input, 'reject'),
};
