import { z } from 'zod';

import { keys, name, text, wholeNumber } from './scalars.ts';

const cron = text('a cron expression such as "0 3 * * *"');

const kept = keys({
  daily: wholeNumber(0, 1000).describe('The last of each day.').optional(),
  weekly: wholeNumber(0, 1000).describe('The last of each week.').optional(),
  monthly: wholeNumber(0, 1000).describe('The last of each month.').optional(),
});

const drill = keys({
  schedule: cron.describe('When to restore it somewhere else.'),
  check: text('a command or a query').describe('Must succeed on the restored copy.').optional(),
});

const backup = keys({
  of: text('what is saved, such as databases.main or services.api.data').describe('What is saved.'),
  to: text('where to, such as buckets.backups or a folder').describe('Where it is kept.'),
  schedule: cron.describe('How often, such as "0 3 * * *".').optional(),
  keep: kept.describe('How many are kept.').optional(),
  drill: drill.describe('A scheduled restore that is checked.').optional(),
});

export const backups = z
  .record(name, backup, { error: 'backups and their keys' })
  .describe('What is saved, where, how often, and how the restore is proven. Not available yet.');
