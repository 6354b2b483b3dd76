import { askRollout, COMMENT_OPTION, ROLLOUT_ARGUMENT } from '../ask-rollout.ts';
import type { CommandSpec } from '../command.ts';

export const pause: CommandSpec = {
  name: 'pause',
  summary: 'hold a rollout where it is',
  description:
    'Weights stay as they are and the clocks of step and phase stand still. The canary is still judged, and taken back when it is proven bad. A pause of 24 hours aborts.',
  arguments: [ROLLOUT_ARGUMENT],
  options: [COMMENT_OPTION],
  examples: [
    { command: 'evenkeel pause api', means: 'hold it' },
    { command: 'evenkeel resume api', means: 'go on' },
  ],
  run: (context, input) => askRollout(context, input, 'pause'),
};
