import { z } from 'zod';

import { parseCron, parseTimeZone } from '../values/cron.ts';
import { duration, keys, oneOrMany, scalar } from './scalars.ts';

const EXPECTED = 'a cron expression such as "0 3 * * *"';

const cron = z.string({ error: EXPECTED }).transform((value, context) => {
  const reading = parseCron(value);
  if (reading.ok) return reading.cron;
  context.addIssue({ code: 'custom', message: EXPECTED, params: { why: reading.why } });
  return z.NEVER;
});

const times = oneOrMany(cron, EXPECTED).refine((all) => all.length > 0, { error: EXPECTED });

const full = keys({
  at: times.describe('Cron expressions: minute, hour, day of the month, month, day of the week.'),
  timeZone: scalar(parseTimeZone, 'a time zone such as Europe/Berlin')
    .describe('Of these times. Default UTC.')
    .optional(),
  late: duration({ max: 7 * 86_400_000 })
    .describe('How late a run may begin when evenkeel was away at its time; later it counts as missed. Default 1h.')
    .optional(),
  deadline: duration({ min: 1000, max: 7 * 86_400_000, say: 'a duration from 1s to 7d' })
    .describe('A run that takes longer is ended. Default 6h.')
    .optional(),
});

export const schedule = z.union([times.transform((at): z.output<typeof full> => ({ at })), full], {
  error: `${EXPECTED}, a list of them, or { at, timeZone, late, deadline }`,
});
