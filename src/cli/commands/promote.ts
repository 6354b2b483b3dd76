import { askRollout, COMMENT_OPTION, ROLLOUT_ARGUMENT } from '../ask-rollout.ts';
import type { CommandSpec } from '../command.ts';

export const promote: CommandSpec = {
  name: 'promote',
  summary: 'skip what is left of a canary',
  description:
    'Gives the canary all traffic now, whatever its steps say. Approvals that are needed stay needed. After an unknown end of a job: goes on as if it had succeeded.',
  arguments: [ROLLOUT_ARGUMENT],
  options: [COMMENT_OPTION],
  examples: [
    { command: 'evenkeel promote', means: 'the only rollout under way' },
    { command: 'evenkeel promote api --comment "small fix"', means: 'that of a service, with the reason' },
  ],
  run: (context, input) => askRollout(context, input, 'promote'),
};
