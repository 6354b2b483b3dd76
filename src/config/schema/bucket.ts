import { z } from 'zod';

import { duration, keys, name, text, yesNo } from './scalars.ts';

const bucket = keys({
  url: text('an address such as s3://bucket').describe('A bucket that exists already.').optional(),
  public: yesNo.describe('Whether everybody may read. Default false.').optional(),
  expire: duration().describe('Delete objects older than this.').optional(),
});

export const buckets = z
  .record(name, bucket.nullable(), { error: 'buckets and their keys' })
  .describe('Object storage that services use. Not available yet.');
