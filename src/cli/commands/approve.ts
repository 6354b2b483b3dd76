import { askRollout, COMMENT_OPTION, ROLLOUT_ARGUMENT } from '../ask-rollout.ts';
import type { CommandSpec } from '../command.ts';

export const approve: CommandSpec = {
  name: 'approve',
  summary: 'let a rollout that waits for approval have all traffic',
  description: 'Counts once for each person, and not for the one who asked for the rollout.',
  arguments: [ROLLOUT_ARGUMENT],
  options: [COMMENT_OPTION],
  examples: [{ command: 'evenkeel approve --comment "tried it on staging"', means: 'the only rollout under way' }],
  run: (context, input) => askRollout(context, input, 'approve'),
};
