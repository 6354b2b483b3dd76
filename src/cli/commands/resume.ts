import { askRollout, COMMENT_OPTION, ROLLOUT_ARGUMENT } from '../ask-rollout.ts';
import type { CommandSpec } from '../command.ts';

export const resume: CommandSpec = {
  name: 'resume',
  summary: 'go on with a paused rollout',
  description:
    'After an inconclusive step: measures it once more. After an unknown end of a job, or a contract that failed: runs it again.',
  arguments: [ROLLOUT_ARGUMENT],
  options: [COMMENT_OPTION],
  examples: [{ command: 'evenkeel resume', means: 'the only rollout under way' }],
  run: (context, input) => askRollout(context, input, 'resume'),
};
