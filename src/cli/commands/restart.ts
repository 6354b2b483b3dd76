import type { CommandSpec } from '../command.ts';
import { followBegun, WAIT_OPTION, waitOf } from '../ship.ts';

export const restart: CommandSpec = {
  name: 'restart',
  summary: 'the code that serves, in fresh instances',
  description:
    'Nothing is built: it is a new release of the same files, and secrets are read again. Its instances are verified before they take over, so no request is lost.',
  arguments: [{ usage: '<services...>', description: 'which' }],
  options: [WAIT_OPTION],
  examples: [{ command: 'evenkeel restart api', means: 'after a secret has changed' }],
  async run(context, input) {
    const scope = await context.scope();
    const client = await context.client();
    const reply = await client.restart({ ...scope, services: input.list('services') });
    return followBegun(context, client, reply, waitOf(input), scope);
  },
};
