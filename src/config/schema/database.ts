import { z } from 'zod';

import { matching } from './cloud.ts';
import { keys, name, oneOrMany, size, text, wholeNumber, yesNo } from './scalars.ts';

const time = matching(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as "03:00"');
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const backups = keys({
  start: time.describe('When they are made, UTC. Default 03:00.').optional(),
  keep: wholeNumber(1, 365).describe('How many are kept. Default 30 in production, else 7.').optional(),
  pointInTime: yesNo
    .describe('Whether any moment of the last days can be restored. Default true but in development and staging.')
    .optional(),
});

const maintenance = keys({
  day: z
    .enum(DAYS, { error: 'a day such as sunday' })
    .transform((day) => DAYS.indexOf(day) + 1)
    .describe('Default sunday.')
    .optional(),
  hour: wholeNumber(0, 23).describe('UTC. Default 4.').optional(),
});

const extension = matching(/^[a-z][a-z0-9_-]{0,62}$/, 'an extension such as vector');
const sqlName = matching(/^[a-z_][a-z0-9_-]{0,62}$/, 'a name of lower-case letters, digits and underscores');
const storageType = z.enum(['ssd', 'hdd'], { error: 'ssd or hdd' });

export const database = keys({
  engine: z
    .enum(['postgres', 'mysql', 'mariadb', 'redis', 'sqlite', 'mongodb'], { error: 'an engine such as postgres' })
    .describe('What kind of database it is. Default postgres.')
    .optional(),
  version: z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), text('a version such as 15'))
    .meta({ acceptsScalars: true })
    .describe('Major version; in the cloud 15 or newer. Default 15.')
    .optional(),
  url: text('the url of the database, usually from a variable: ${DATABASE_URL}')
    .describe(
      'Where a database is that exists already. Services get it as DATABASE_URL (`main`) or NAME_DATABASE_URL (others).',
    )
    .optional(),
  instance: matching(/^[a-z]([a-z0-9-]{0,58}[a-z0-9])?$/, 'a name of lower-case letters, digits and dashes')
    .describe('Its name in the cloud. Default: made from the names of project, environment and database.')
    .optional(),
  name: sqlName.describe('The database that is made on it. Default: the name of the project.').optional(),
  user: sqlName.describe('The user that services are. Default: app.').optional(),
  extensions: oneOrMany(extension, 'an extension such as vector, or a list of them')
    .describe('Extensions that the database has.')
    .optional(),
  size: size.describe('Disk, at least 10Gi. Default 10Gi.').optional(),
  storage: storageType.describe('Default ssd.').optional(),
  autoIncrease: yesNo.describe('Whether the disk grows when it is nearly full. Default true.').optional(),
  tier: matching(/^db-[a-z0-9-]+$/, 'a tier such as db-custom-2-7680')
    .describe('Machine of the database. Default db-custom-1-3840 in production, else db-f1-micro.')
    .optional(),
  highAvailability: yesNo.describe('Whether it has a standby in another zone. Default false.').optional(),
  backups: backups.describe('Made every day.').optional(),
  maintenance: maintenance.describe('When it may be restarted for updates.').optional(),
  maxConnections: wholeNumber(10, 10_000).describe('Most connections at once. Default: as the tier has it.').optional(),
  deletionProtection: yesNo
    .describe(
      'Whether the cloud refuses to delete it; an environment that says so is cleaned up and stopped as production is. Default true but in development and staging.',
    )
    .optional(),
});

/** Keys that say something only of a database in the cloud. */
export const CLOUD_DATABASE_KEYS = Object.keys(database.shape).filter(
  (key) => !['engine', 'version', 'url'].includes(key),
);

export const databases = z
  .record(name, database, { error: 'databases and their keys' })
  .describe('Databases that services use: one that exists, by its `url`, or without one a Postgres in the cloud.');
export type WrittenDatabase = z.output<typeof database>;
