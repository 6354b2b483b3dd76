import { z } from 'zod';

import { duration, keys, name, oneOrMany, text } from './scalars.ts';

const alert = keys({
  when: text('a condition such as "api errorRate > 2%"').describe('Fires while this holds.'),
  for: duration().describe('Fires only after this long. Default 5m.').optional(),
  severity: z.enum(['P0', 'P1', 'P2', 'P3'], { error: 'P0, P1, P2 or P3' }).describe('Default P2.').optional(),
  notify: oneOrMany(text('a receiver'), 'a receiver, or a list of them').describe('Who is told.').optional(),
  runbook: text('a path or an address').describe('What to do about it.').optional(),
});

export const alerts = z
  .record(name, alert, { error: 'alerts and their keys' })
  .describe('Rules that fire when something is wrong. Not available yet.');
