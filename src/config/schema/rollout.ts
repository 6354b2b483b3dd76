import { z } from 'zod';

import { parseDuration } from '../values/duration.ts';
import { parsePercent } from '../values/percent.ts';
import { duration, keys, percent, scalar, wholeNumber, yesNo } from './scalars.ts';

const minute = 60_000;
const hour = 60 * minute;

const canaryStep = keys({
  weight: percent(1, 99).describe('Percent of sessions that the new release receives.'),
  for: duration({ min: 1 }).describe('How long, such as 10m.'),
});

const errorRate = scalar((value) => {
  const parsed = parsePercent(value.replace(/^\s*<\s*/, ''));
  return parsed === null || parsed <= 0 || parsed > 100 ? null : parsed / 100;
}, 'a limit such as "< 1%"').meta({ pattern: '^ *<? *[0-9]+(\\.[0-9]+)? ?% *$' });

const p95 = scalar((value) => {
  const parsed = parseDuration(value.replace(/^\s*<\s*/, ''));
  return parsed === null || parsed <= 0 ? null : parsed;
}, 'a limit such as "< 1s"').meta({ pattern: '^ *<? *([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+ *$' });

const limit = <T extends z.ZodType>(value: T, example: string) =>
  z.union([value, z.literal(false).transform(() => null)], { error: `a limit such as "${example}", or false` });

const analysis = keys({
  errorRate: limit(errorRate, '< 1%')
    .describe('Highest accepted share of bad requests (5xx, failed connections, timeouts). Default "< 1%".')
    .optional(),
  p95: limit(p95, '< 1s')
    .describe('Highest accepted 95th percentile of the time to the first byte. Default "< 1s".')
    .optional(),
  minRequests: wholeNumber(1, 1_000_000)
    .describe(
      'Requests to the new release without which nothing passes; fewer are inconclusive. Default: as many as a release that fails ten times its limit would show in, 52 sessions or more.',
    )
    .optional(),
});

const deadline = duration({ min: 1000, max: 24 * hour, say: 'a duration from 1s to 24h' });

const deadlines = keys({
  build: deadline.describe('Default 20m.').optional(),
  start: deadline.describe('Default 5m, longer when `health.deadline` is.').optional(),
  migrate: deadline.describe('Also of `contract`, which is stopped and asks a person then. Default 15m.').optional(),
  verify: deadline.describe('Default 5m.').optional(),
  promote: deadline.describe('Default 5m.').optional(),
});

export const rollout = keys({
  canary: z
    .union([z.literal(false).transform(() => []), z.array(canaryStep).max(20, { error: 'at most 20 steps' })], {
      error: 'a list of steps such as { weight: 10, for: 10m }, or false for none',
    })
    .describe(
      'Steps in which the new release receives sessions while it is judged. Default in production: 10 % for 10m, then 50 % for 5m; none in development and staging. `false`: none.',
    )
    .optional(),
  analysis: analysis.describe('What the new release is judged by.').optional(),
  onInconclusive: z
    .enum(['pause', 'promote', 'abort'], { error: 'pause, promote or abort' })
    .describe('What to do when there was too little traffic to judge. Default: pause in production, else promote.')
    .optional(),
  rollbackWindow: duration({ max: 30 * 24 * hour })
    .describe('How long the former release stays hot after promotion. Default 1h (development: 10m).')
    .optional(),
  holdback: percent(0, 50)
    .describe('Share of sessions that stay with the former release during the window, for comparison. Default 0.')
    .optional(),
  drain: duration({ max: hour })
    .describe('How long a release that no longer receives traffic may finish its requests. Default 30s.')
    .optional(),
  deadlines: deadlines.describe('A phase that takes longer takes the rollout back.').optional(),
  pause: duration({ min: minute, max: 30 * 24 * hour, say: 'a duration from 1m to 30d' })
    .describe('A pause longer than this aborts the rollout. Default 24h.')
    .optional(),
  keepReleases: wholeNumber(1, 100).describe('Old releases kept beside the current one. Default 5.').optional(),
  keepFailed: yesNo
    .describe('Leave the instances of a failed release running, without traffic, for a look at them. Default false.')
    .optional(),
}).describe('How a new release takes over.');
