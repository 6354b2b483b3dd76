import { z } from 'zod';

import { parseRoute, parsePath } from '../values/route.ts';
import { closedKeys, policyKeys } from './entry.ts';
import { cloudServiceKeys } from './service-cloud.ts';
import { health, requestPath } from './health.ts';
import { schedule } from './schedule.ts';
import { instances } from './instances.ts';
import { objectives, role } from './objectives.ts';
import { rollout } from './rollout.ts';
import {
  command,
  decimal,
  duration,
  env,
  folder,
  host,
  keys,
  name,
  oneOrMany,
  scalar,
  size,
  text,
  wholeNumber,
  yesNo,
} from './scalars.ts';

const routeText = z.string({ error: 'a route such as /api or api.example.com/v1' }).transform((value, context) => {
  const reading = parseRoute(value);
  if (reading.ok) return reading.route;
  const message = 'a route such as /api or api.example.com/v1';
  context.addIssue({ code: 'custom', message, params: { why: reading.why, hint: reading.hint } });
  return z.NEVER;
});

const routePath = scalar((value) => {
  const reading = parsePath(value);
  return reading.ok ? reading.path : null;
}, 'a path such as /api');

const route = z.union(
  [
    routeText,
    keys({
      host: host.describe('Default: the domain of the environment.').optional(),
      path: routePath.describe('Everything below it, too. Default /.').optional(),
      ...policyKeys,
    }).transform(({ host: given, path, access, limits }) => ({
      host: given ?? null,
      path: path ?? '/',
      access,
      limits,
    })),
  ],
  { error: 'a route such as /api, api.example.com/v1 or { host, path }' },
);

const smokeRequest = keys({
  path: requestPath.describe('Asked through the edge.'),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], { error: 'a method such as GET' })
    .describe('Default GET.')
    .optional(),
  status: wholeNumber(100, 599).describe('Default 200.').optional(),
  body: text('a text that the answer holds').describe('The answer must hold this text.').optional(),
});

const smokeCommand = keys({ run: command.describe('Must exit 0.') });

const smokeOne = z.union([text('a path or a command'), smokeRequest, smokeCommand], {
  error: 'a path such as /health, a command, { path, method, status, body } or { run }',
});

const memory = size.describe('Most memory of one instance, such as 512Mi.');

const resources = keys({
  memory: memory.optional(),
  cpu: decimal(0.05, 256, 'a number of cores such as 0.5 or 2')
    .describe('Cores of one instance, such as 0.5.')
    .optional(),
  processes: wholeNumber(1, 1_000_000).describe('Most processes and threads of one instance at once.').optional(),
  openFiles: wholeNumber(16, 1_000_000)
    .describe('Most files and sockets that one process has open. Default: as the system has it.')
    .optional(),
}).describe('Limits of one instance. Default: none.');

const breaking = z
  .enum(['refuse', 'warn', 'off'], { error: 'refuse, warn or off' })
  .describe(
    'What is done about a statement that the running release may not survive. Default refuse, in development warn.',
  );

const migrationKeys = keys({
  folders: oneOrMany(folder, 'a folder such as db/migrations, or a list of them')
    .describe('Where the files are, relative to `dir`. Default: where the usual tools keep them.')
    .optional(),
  breaking: breaking.optional(),
});

/** The keys of a service. */
export const serviceKeys = {
  run: command.describe('The command that serves. It listens on $PORT when it is asked over HTTP.').optional(),
  dev: command
    .describe(
      'The command for `evenkeel dev`, usually one that reloads by itself. Default: `run`, started anew on every change.',
    )
    .optional(),
  build: command.describe('Makes the artifact, in a clean copy of the project. Run once for each change.').optional(),
  migrate: command
    .describe('Changes the database before the new release starts. The old release must still run on the result.')
    .optional(),
  migrations: z
    .union([breaking, migrationKeys], { error: 'refuse, warn, off, or { folders, breaking }' })
    .transform((given) => (typeof given === 'string' ? { breaking: given } : given))
    .describe('How the SQL files that `migrate` brings are looked at before it runs.')
    .optional(),
  contract: command
    .describe(
      'Takes away what only older releases needed, once, after the rollback window. Nothing older can be gone back to then.',
    )
    .optional(),
  smoke: oneOrMany(smokeOne, 'a path such as /health, a command, or a list of them')
    .describe('Asked of the new release, through the edge, before it takes traffic.')
    .optional(),
  check: command
    .describe('For services without routes: must exit 0 before the new release counts as verified.')
    .optional(),
  static: z
    .union(
      [
        folder.transform((dir) => ({ dir, spa: false })),
        keys({
          dir: folder.describe('The folder that is served, after `build`; relative to the `dir` of the service.'),
          spa: yesNo.describe('Answer unknown paths with index.html. Default false.').optional(),
        }).transform(({ dir, spa }) => ({ dir, spa: spa ?? false })),
      ],
      { error: 'a folder such as dist/web, or { dir, spa }' },
    )
    .describe('A folder, relative to `dir`, that the edge serves itself, instead of `run`.')
    .optional(),
  schedule: schedule
    .describe(
      'Run as a job at these times, instead of all the time. One expression, several, or { at, timeZone, ... }.',
    )
    .optional(),
  port: wholeNumber(1, 65_535)
    .describe('The port that the container listens on, on Cloud Run. Default 8080. Elsewhere programs listen on $PORT.')
    .optional(),
  health: health.optional(),
  instances: instances
    .describe('How many copies run: a number, or { min, max } to follow the load. Default 1.')
    .optional(),
  timeout: duration({ min: 1, max: 86_400_000, say: 'a duration from 1ms to 24h' })
    .describe('For one request, up to the first byte of the answer. Default 60s.')
    .optional(),
  env: env
    .describe(
      'Variables of the program. May use ${VAR}, ${SECRET}, ${services.NAME.url}, ${databases.NAME.url}, ${PORT}.',
    )
    .optional(),
  routes: oneOrMany(route, 'a route such as /api, or a list of them')
    .describe('What the edge sends to this service: paths, hosts, or both. The longest path wins.')
    .optional(),
  ...policyKeys,
  ...closedKeys,
  public: yesNo
    .describe(
      'Whether it answers to everybody. Default: whether it has `routes`. false beside `routes` is for Cloud Run.',
    )
    .optional(),
  after: oneOrMany(name, 'the name of a service, or a list of them')
    .describe('Services that must be verified before this one starts.')
    .optional(),
  resources: resources.optional(),
  user: scalar(
    (value) => (/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(value) ? value : null),
    'the name of a user, or dynamic',
  )
    .describe(
      'As whom all commands run when evenkeel runs as root: a user of the machine, or `dynamic`, a user of its own. Default: as evenkeel.',
    )
    .optional(),
  data: oneOrMany(folder, 'a folder such as storage, or a list of them')
    .describe('Folders, relative to `dir`, that all releases share.')
    .optional(),
  overlap: yesNo
    .describe(
      'Whether two copies may run at the same time. Default true. `false`: the former release stops before the new one starts; requests wait meanwhile, up to 10s, and there is no canary.',
    )
    .optional(),
  rollout: rollout.optional(),
  objectives: objectives.optional(),
  role: role.optional(),
  ...cloudServiceKeys,
  keepFailed: yesNo.describe('Short for `rollout.keepFailed`.').optional(),
  dir: folder.describe('Folder in which the commands run. Default: the folder of this file.').optional(),
  stopGrace: duration({ max: 3_600_000 })
    .describe('Time between SIGTERM and SIGKILL. Default 30s (development: 5s).')
    .optional(),
};

export const service = keys(serviceKeys).describe('A program, or a folder of static files, that is released as one.');

/** What was written of a service, with every value understood and no default applied. */
export type WrittenService = z.output<typeof service>;
