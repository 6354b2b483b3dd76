import { z } from 'zod';

import { alerts } from './alert.ts';
import { backups } from './backup.ts';
import { buckets } from './bucket.ts';
import { cloud, matching } from './cloud.ts';
import { databases } from './database.ts';
import { bind, edgePort, environments } from './environment.ts';
import { externals } from './external.ts';
import { keys, name, variableName } from './scalars.ts';
import { service } from './service.ts';

const secretName = variableName.refine((found) => found !== 'PORT' && !found.startsWith('EVENKEEL_'), {
  error: 'a name that evenkeel does not set itself',
});

export const secret = keys({
  cloud: matching(/^[A-Za-z][A-Za-z0-9_-]{0,254}$/, 'an id of letters, digits, dashes and underscores')
    .describe('Its id in Secret Manager. Default: made from the names of project, environment and secret.')
    .optional(),
});

/** The whole of `evenkeel.yaml`: the single source of types, errors and the JSON Schema for editors. */
export const file = keys({
  project: name.meta({ literal: true }).describe('The name of the project. The same everywhere: no variables.'),
  services: z
    .record(name, service, { error: 'services and their keys' })
    .refine((services) => Object.keys(services).length > 0, { error: 'at least one service' })
    .describe('What the project runs, by name.'),
  databases: databases.optional(),
  buckets: buckets.optional(),
  secrets: z
    .union([z.array(secretName), z.record(secretName, secret.nullable())], {
      error: 'a list of names, or names and their keys',
    })
    .describe('Names that may be used as ${NAME} in `env` and are kept by `evenkeel secrets set NAME`.')
    .optional(),
  external: externals.optional(),
  environments: environments.optional(),
  cloud: cloud.optional(),
  alerts: alerts.optional(),
  backups: backups.optional(),
  port: edgePort.optional(),
  bind: bind.optional(),
});
