import { z } from 'zod';

import { matching } from './cloud.ts';
import { duration, keys, name, oneOrMany, text, yesNo } from './scalars.ts';

const DAYS = 'a duration of whole days such as 7d';
const days = duration({ min: 86_400_000, max: 3650 * 86_400_000, say: DAYS }).refine((ms) => ms % 86_400_000 === 0, {
  error: DAYS,
});

const prefix = text('a prefix such as tmp/');
const expireKeys = keys({
  after: days.describe('Objects older than this are deleted.'),
  prefixes: oneOrMany(prefix, 'a prefix such as tmp/, or a list of them')
    .describe('Only objects whose names begin like this. Default: all.')
    .optional(),
});

export const bucket = keys({
  name: matching(
    // Google takes no address of a machine, and nothing that looks like its own.
    /^(?!goog|.*google|.*g00gle|(?:\d+\.){3}\d+$|.*\.[.-]|.*-\.)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/,
    'a name of 3 to 63 lower-case letters, digits, dashes, dots and underscores, without `google` in it',
  )
    .describe(
      'Its name in the cloud, which no other bucket in the world has; `${env}` is the environment. Default: made from the names of project, environment and bucket.',
    )
    .optional(),
  url: text('an address such as s3://bucket').describe('A bucket that exists already. Not available yet.').optional(),
  public: yesNo.describe('Whether everybody may read. Default false.').optional(),
  versioning: yesNo.describe('Whether what is overwritten or deleted can be had again. Default false.').optional(),
  expire: z
    .union([days.transform((after): z.output<typeof expireKeys> => ({ after })), expireKeys], {
      error: `${DAYS}, or { after, prefixes }`,
    })
    .describe('Delete objects older than this.')
    .optional(),
});

export const buckets = z
  .record(name, bucket.nullable(), { error: 'buckets and their keys' })
  .describe('Object storage in the cloud. Services find the name of each as GCS_BUCKET_NAME.');
