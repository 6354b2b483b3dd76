import type { CommandSpec } from '../command.ts';
import { confirm } from '../confirm.ts';
import { stopped } from '../screen/text.ts';

export const down: CommandSpec = {
  name: 'down',
  summary: 'stop the instances of an environment',
  description:
    'Releases, data, secrets and history stay; `evenkeel up` starts everything again. Outside of development it asks first.',
  examples: [
    { command: 'evenkeel down', means: 'stop development' },
    { command: 'evenkeel down --env staging --yes', means: 'without being asked' },
  ],
  async run(context) {
    const { out } = context;
    const scope = await context.scope();
    if (scope.environment !== 'development')
      await confirm(context, `Stop everything of ${scope.project} in ${scope.environment}?`);
    const reply = await (await context.client()).down(scope);
    out.line(`${out.style.green(out.style.symbols.done)} ${stopped(reply.message)}`);
    out.data(reply);
  },
};
