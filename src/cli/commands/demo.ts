import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec } from '../command.ts';

export const demo: CommandSpec = {
  name: 'demo',
  summary: 'how to see it all in a minute',
  description: 'The demo brings its own small system and load, so it runs from a clone of the repository.',
  examples: [
    { command: 'npm run demo', means: 'in a clone: a good release, a bad one, and a killed controller' },
    { command: 'npm run demo -- --cloud', means: 'the same file on an emulated Google Cloud, plan to clean-up' },
  ],
  run: () =>
    Promise.reject(
      new EvenkeelError({
        code: 'demo-elsewhere',
        what: 'the demo runs from a clone of the repository',
        why: 'it brings a small system and a load of its own, which the package does not carry',
        next: 'npm run demo',
      }),
    ),
};
