import { z } from 'zod';

import { keys, text } from './scalars.ts';

export const cloud = keys({
  provider: z.enum(['google'], { error: 'google' }).describe('Whose cloud.'),
  project: text('the id of the cloud project').describe('Id of the cloud project.').optional(),
  region: text('a region such as europe-west1').describe('Where it runs, such as europe-west1.').optional(),
  budget: text('an amount such as "50 EUR/month"').describe('Changes that would cost more are refused.').optional(),
}).describe('The cloud underneath. Not available yet.');
