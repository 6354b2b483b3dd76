import type { CommandSpec, Input, OptionSpec } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { hintsOf, withHints } from '../cloud/hints.ts';
import { interruptible } from '../interrupt.ts';
import { deploy } from './deploy.ts';

const EMULATE: OptionSpec = {
  flags: '--emulate',
  description: 'our stand-in for Google Cloud on this machine, in place of the real one; it keeps what it was told',
};

const ONLY: OptionSpec = {
  flags: '--only <what...>',
  description:
    'only these and what they need: apis, accounts, repository, network, buckets, database, secrets, monitoring, logs, budget, or an address such as bucket/NAME',
};

/** Read when it is used: `cloud --help` needs none of it. */
const looks = () => import('../cloud/looks.ts');
const changes = () => import('../cloud/setup.ts');
const rest = () => import('../cloud/rest.ts');
const emulators = () => import('../cloud/emulator.ts');

type Run = (context: Context, input: Input) => Promise<ExitCode | void>;

export const cloud: CommandSpec = {
  name: 'cloud',
  summary: 'set up, look at, price and clean up what is in the cloud',
  description:
    'What evenkeel.yaml says of `cloud`, databases, buckets, secrets and services, on Google Cloud, with your own credentials: those of `gcloud auth application-default login`, of a key file (GOOGLE_APPLICATION_CREDENTIALS) or a token (EVENKEEL_CLOUD_TOKEN). Every command can be run again; nothing is remembered but what is there.',
  options: [EMULATE],
  examples: [
    { command: 'evenkeel cloud plan --env production', means: 'what would be made, and what it costs a month' },
    { command: 'evenkeel cloud setup --env staging', means: 'make it' },
    { command: 'evenkeel cloud setup --only database', means: 'only the database and what it needs' },
    { command: 'evenkeel cloud --emulate plan', means: 'try any of it without an account' },
    { command: 'evenkeel cloud cleanup --env staging', means: 'delete what evenkeel made' },
  ],
  subcommands: [
    {
      name: 'plan',
      summary: 'what set-up would make and change, with the monthly cost of each',
      options: [ONLY, { flags: '--all', description: 'show what stays as it is, too' }, EMULATE],
      run: lazily(changes, 'plan'),
    },
    {
      name: 'setup',
      summary: 'make the cloud as the file says; it can be interrupted and run again',
      description:
        'Shows the plan, asks, and does what is independent at once. The first time takes 5 to 10 minutes, most of it for the database. What replaces a database or a bucket wants a phrase that --yes does not answer.',
      options: [ONLY, EMULATE],
      run: lazily(changes, 'setup'),
    },
    {
      name: 'enable',
      summary: 'switch on the APIs that the file needs, and nothing else',
      options: [EMULATE],
      run: lazily(changes, 'enable'),
    },
    {
      name: 'status',
      summary: 'whether everything that the file says is there and well',
      description:
        'What does not answer in time is shown as unknown and holds nothing up. Exits with 2 when something has failed, with 1 when something could not be seen.',
      options: [{ flags: '--wait <time>', description: 'for what is slow, such as 30s; default: 2.4s' }, EMULATE],
      run: lazily(looks, 'status'),
    },
    {
      name: 'list',
      summary: 'everything that is in the cloud project, whoever made it',
      options: [EMULATE],
      run: lazily(looks, 'list'),
    },
    {
      name: 'start',
      summary: 'wake databases and services',
      arguments: [{ usage: '[resources...]', description: 'names or addresses; default: all that rest' }],
      options: [EMULATE],
      run: lazily(rest, 'start'),
    },
    {
      name: 'stop',
      summary: 'put databases and services to rest, so that they cost next to nothing',
      arguments: [{ usage: '[resources...]', description: 'names or addresses; default: all that run' }],
      options: [EMULATE],
      run: lazily(rest, 'stop'),
    },
    {
      name: 'delete',
      summary: 'delete one resource',
      description: 'Databases, buckets that hold something, and what evenkeel did not make want their name typed out.',
      arguments: [{ usage: '<resource>', description: 'name or address, as `evenkeel cloud list` shows it' }],
      options: [EMULATE],
      run: lazily(rest, 'remove'),
    },
    {
      name: 'secret',
      summary: 'give a secret its value in the cloud; it is asked for, or read from the standard input',
      description:
        'Set-up makes secrets and invents no values, but for the password of the database. Running services take a new value with their next deploy.',
      arguments: [{ usage: '<name>', description: 'as evenkeel.yaml has it, such as JWT_SECRET' }],
      options: [{ flags: '--from-file <path>', description: 'read the value from a file' }, EMULATE],
      run: lazily(() => import('../cloud/secret.ts'), 'secret'),
    },
    {
      name: 'cost',
      summary: 'what it costs a month: estimated, billed, and against the budget',
      options: [EMULATE],
      run: lazily(looks, 'cost'),
    },
    {
      name: 'build',
      summary: 'build images and push them, and deploy nothing',
      description:
        'With Cloud Build. Dockerfiles are checked first: stages, workspace packages, Prisma. Each image is tagged with the time, and `latest`. `evenkeel deploy` builds by itself what it needs.',
      arguments: [{ usage: '[services...]', description: 'which; default: all that run on Cloud Run' }],
      options: [EMULATE],
      run: lazily(() => import('../cloud/build.ts'), 'build'),
    },
    {
      ...deploy,
      summary: 'the same as `evenkeel deploy`',
      options: [...(deploy.options ?? []), EMULATE],
      examples: [{ command: 'evenkeel cloud deploy --env production', means: 'the same as without `cloud`' }],
      run: deployThere,
    },
    {
      name: 'urls',
      summary: 'where services answer',
      options: [
        { flags: '--check', description: 'ask each, and exit with 2 when one does not answer well' },
        { flags: '--write', description: "write them to the environment's file (`cloud.urlFile`)" },
        EMULATE,
      ],
      run: lazily(looks, 'urls'),
    },
    {
      name: 'cleanup',
      summary: 'delete what evenkeel made in this environment',
      description:
        'Shows what would go, with size and age, and asks: all at once with the phrase DELETE ALL, one by one, or from a menu. Databases and buckets that hold something are asked for once more. Production wants --env production typed out. --yes answers none of it.',
      options: [
        { flags: '--all', description: 'also what evenkeel did not make, which is shown apart' },
        { flags: '--apis', description: 'switch the APIs off that the file needs, at the end' },
        { flags: '--list', description: 'only show what would go' },
        EMULATE,
      ],
      run: lazily(() => import('../cloud/cleanup.ts'), 'cleanup'),
    },
    {
      name: 'terraform',
      summary: 'write it all down as Terraform, to go on without evenkeel',
      description:
        'One module for each environment, with `import` blocks for what is there, for the Google provider 6.x. Of one environment with --env, else of all that have a cloud. Secrets are named, never written.',
      options: [{ flags: '--out <folder>', description: 'default: terraform' }, EMULATE],
      run: lazily(() => import('../cloud/terraform.ts'), 'terraform'),
    },
    {
      name: 'emulator',
      summary: 'stand in for Google Cloud on this machine, for any of its clients',
      description:
        'Prints one line when it listens, and ends with Ctrl-C. Clients find it by EVENKEEL_CLOUD_ENDPOINT, or as their own way of naming an endpoint has it. `--emulate` starts one of its own, which `evenkeel cloud emulator stop` ends.',
      options: [
        { flags: '--port <port>', description: 'default: any that is free' },
        { flags: '--token <token>', description: 'what requests must present; default: a new one, which is printed' },
        {
          flags: '--postgres <url>',
          description:
            'make Cloud SQL’s databases and users on this Postgres server, which services then reach by their sockets, and run statements there; its password in PGPASSWORD; default: EVENKEEL_EMULATOR_POSTGRES, else they only exist by name',
        },
        { flags: '--state <folder>', description: 'keep what there is in this folder; default: in memory' },
      ],
      examples: [{ command: 'evenkeel cloud emulator --port 8085 --token dev', means: 'until Ctrl-C' }],
      subcommands: [
        {
          name: 'stop',
          summary: 'end the one that --emulate started, with the services that run in it',
          run: lazily(emulators, 'stop'),
        },
        {
          name: 'reset',
          summary: 'end it, and forget everything that was made in it',
          run: lazily(emulators, 'reset'),
        },
      ],
      run: lazily(emulators, 'run'),
    },
  ],
};

/** The server does the rollout: with --emulate it must ask the emulator, too. */
async function deployThere(context: Context, input: Input): Promise<ExitCode | void> {
  const { interrupt, deps, out } = context;
  if (input.flag('emulate')) {
    const url = await interruptible(interrupt.signal, deps.useEmulator(interrupt.signal));
    out.prose(out.style.dim(`Emulated on this machine (${url}); nothing leaves it and nothing is paid.`), 2);
  }
  return withHints(async () => deploy.run?.(context, input), hintsOf(context, input));
}

/** The command's file is read when it runs. */
function lazily<Name extends string>(load: () => Promise<Readonly<Record<Name, Run>>>, name: Name): Run {
  return async (context, input) => withHints(async () => (await load())[name](context, input), hintsOf(context, input));
}
