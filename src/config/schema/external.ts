import { z } from 'zod';

import { duration, keys, name, wholeNumber } from './scalars.ts';

const external = keys({
  http: z
    .url({ protocol: /^https?$/, error: 'an address such as https://models.example.com/health' })
    .describe('Asked with GET.'),
  status: wholeNumber(100, 599).describe('Expected answer. Default: any 2xx.').optional(),
  interval: duration({ min: 1000 }).describe('Time between two checks. Default 30s.').optional(),
  timeout: duration({ min: 10 }).describe('For one check. Default 5s.').optional(),
});

export const externals = z
  .record(name, external, { error: 'external systems and their keys' })
  .describe('Systems of others that this one depends on, and how to ask whether they are well. Not available yet.');
