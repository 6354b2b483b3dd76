import { z } from 'zod';

import { duration, keys, percent, wholeNumber } from './scalars.ts';

const range = keys({
  min: wholeNumber(0, 100).describe('Fewest copies; 0 on Cloud Run only.'),
  max: wholeNumber(1, 100).describe('Most copies.'),
  concurrency: wholeNumber(1, 100_000)
    .describe(
      'Requests in progress that one copy should have; more copies are started when there are more. Default 25.',
    )
    .optional(),
  cpu: percent(1, 100)
    .describe('Share of its cores (`resources.cpu`, else one) that one copy should use. Default 70%.')
    .optional(),
  cooldown: duration({ min: 1000, max: 86_400_000, say: 'a duration from 1s to 24h' })
    .describe('How long fewer must have been enough before one is taken away. Default 2m.')
    .optional(),
});

export const instances = z.union([wholeNumber(1, 100), range], {
  error: 'a whole number from 1 to 100, or { min, max, concurrency, cpu, cooldown }',
});
