import { askRollout, COMMENT_OPTION, ROLLOUT_ARGUMENT } from '../ask-rollout.ts';
import type { CommandSpec } from '../command.ts';

export const abort: CommandSpec = {
  name: 'abort',
  summary: 'take a rollout back before it is promoted',
  description:
    'Traffic goes back at once, in every phase. A migration that runs may end first, since half of one is worse than a whole one; --force does not wait. Afterwards, use rollback.',
  arguments: [ROLLOUT_ARGUMENT],
  options: [COMMENT_OPTION, { flags: '--force', description: 'do not wait for a running migration' }],
  examples: [
    { command: 'evenkeel abort', means: 'the only rollout under way' },
    { command: 'evenkeel abort api --force', means: 'that of a service, in the middle of a migration' },
  ],
  run: (context, input) => askRollout(context, input, 'abort'),
};
