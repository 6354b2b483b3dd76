import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import { ALLOW_OPTION, ship, shipFrom, WAIT_OPTION, waitOf } from '../ship.ts';

export const deploy: CommandSpec = {
  name: 'deploy',
  summary: 'ship the code as it is now, as new releases',
  description:
    'Builds new releases, starts them beside the ones that serve, judges them under a share of the traffic, and gives them all of it or takes them back. Exit code 2: taken back; 3: paused, a person must decide. Ctrl-C leaves the rollout going on.',
  arguments: [{ usage: '[services...]', description: 'which; default: all, as one unit' }],
  options: [
    {
      flags: '--version <label>',
      description: 'name of the version; default: the git tag, else the version of package.json',
    },
    { flags: '--replace', description: 'abort what is under way for these services first' },
    {
      flags: '--keep-failed',
      description: 'leave instances of a failed release running, without traffic, for a look at them',
    },
    ALLOW_OPTION,
    {
      flags: '--from <environment>',
      description: 'promote what serves there: the same files, with the configuration that this environment has',
    },
    {
      flags: '--accept-build',
      description: 'with --from: although the build has read values that are others here',
    },
    WAIT_OPTION,
  ],
  examples: [
    { command: 'evenkeel deploy api', means: 'ship one service' },
    { command: 'evenkeel deploy --env production --version v1.6.0', means: 'ship all, under this name' },
    { command: 'evenkeel deploy --from staging --env production', means: 'ship what was tried in staging, built once' },
    { command: 'evenkeel deploy api --wait complete', means: 'return only when the rollback window is over' },
    { command: 'evenkeel deploy api --json | tail -1', means: 'for scripts: what it came to, as JSON' },
  ],
  async run(context, input) {
    const from = input.text('from');
    refuseMixed(input, from);
    if (from !== null)
      return shipFrom(
        context,
        { from, services: input.list('services'), acceptBuild: input.flag('acceptBuild') },
        waitOf(input),
      );
    return ship(
      context,
      {
        services: input.list('services'),
        onlyChanged: false,
        label: input.text('version'),
        replace: input.flag('replace'),
        keepFailed: input.flag('keepFailed') ? true : null,
        allowBreakingMigrations: input.flag('allowBreakingMigrations'),
      },
      waitOf(input),
    );
  },
};

/** What is promoted was built and named already. */
function refuseMixed(input: Input, from: string | null): void {
  const given = [
    ...(input.text('version') === null ? [] : ['--version']),
    ...(input.flag('replace') ? ['--replace'] : []),
    ...(input.flag('keepFailed') ? ['--keep-failed'] : []),
    ...(input.flag('allowBreakingMigrations') ? ['--allow-breaking-migrations'] : []),
  ];
  const [first] = given;
  const what =
    from !== null && first !== undefined
      ? `${first} means nothing with --from`
      : from === null && input.flag('acceptBuild')
        ? '--accept-build means nothing without --from'
        : null;
  if (what === null) return;
  throw new EvenkeelError({
    code: 'usage',
    what,
    why: '--from brings releases as they serve in another environment, and nothing is built',
    next: 'evenkeel deploy --help',
  });
}
