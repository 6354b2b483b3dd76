import type { CommandSpec } from '../command.ts';
import { ALLOW_OPTION, ship, WAIT_OPTION, waitOf } from '../ship.ts';

export const up: CommandSpec = {
  name: 'up',
  summary: 'start the system, or bring it to what the file says',
  description:
    'Starts every service that is new, changed or not running, as one rollout. Starts the evenkeel server itself when it does not run. Nothing changed is done at once. What is not in the file any more is taken down; the public port moves when the rollout is promoted.',
  options: [ALLOW_OPTION, WAIT_OPTION],
  examples: [
    { command: 'evenkeel up', means: 'start everything in development' },
    { command: 'evenkeel up --env production', means: 'the same in production' },
    { command: 'evenkeel up --wait none', means: 'begin, and return at once' },
  ],
  run: (context, input) =>
    ship(
      context,
      {
        services: [],
        onlyChanged: true,
        label: null,
        replace: false,
        keepFailed: null,
        allowBreakingMigrations: input.flag('allowBreakingMigrations'),
      },
      waitOf(input),
    ),
};
