import { z } from 'zod';

import { keys, name, size, text } from './scalars.ts';

const database = keys({
  engine: z
    .enum(['postgres', 'mysql', 'mariadb', 'redis', 'sqlite', 'mongodb'], { error: 'an engine such as postgres' })
    .describe('What kind of database it is.')
    .optional(),
  version: z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), text('a version such as 15'))
    .meta({ acceptsScalars: true })
    .describe('Major version.')
    .optional(),
  url: text('the url of the database, usually from a variable: ${DATABASE_URL}')
    .describe('Where the database is. Services get it as DATABASE_URL (`main`) or NAME_DATABASE_URL (others).')
    .optional(),
  size: size.describe('Disk. Not available yet.').optional(),
});

export const databases = z
  .record(name, database, { error: 'databases and their keys' })
  .describe('Databases that services use; each needs a `url`, since evenkeel does not run databases yet.');
