import { z } from 'zod';

import { ROLES } from '../../domain/project/objectives.ts';
import { duration, keys, percent } from './scalars.ts';

const off = z.literal(false).transform(() => null);

/** One value, from which the critical one follows, or both, or `false`. */
function levels<T extends z.ZodType>(value: T, example: string, critical: string) {
  return z.union(
    [
      off,
      value.transform((warning): { warning?: z.output<T>; critical?: z.output<T> } => ({ warning })),
      keys({
        warning: value.describe('From here on it is a warning.').optional(),
        critical: value.describe(`From here on it is critical. Default: ${critical}.`).optional(),
      }),
    ],
    { error: `a value such as ${example}, { warning, critical }, or false` },
  );
}

export const objectives = keys({
  errorRate: levels(percent(0.001, 100), '1%', 'five times the warning')
    .describe('Share of bad requests (5xx, failed connections, timeouts). `false`: not judged. Default 1%.')
    .optional(),
  p95: levels(duration({ min: 1 }), '300ms', 'twice the warning')
    .describe(
      'The 95th percentile of the time to the first byte. `false`: not judged. Default: `rollout.analysis.p95`, which is 1s.',
    )
    .optional(),
  memory: levels(percent(1, 100), '80%', '95%')
    .describe('Share of `resources.memory` that one instance uses. `false`: not judged. Default 80%.')
    .optional(),
  availability: z
    .union([off, percent(1, 100)], { error: 'a share such as 99.9%, or false' })
    .describe('Share of good requests that there should be at least over a day. Default: not judged.')
    .optional(),
}).describe('What is shown as a warning and as critical. Part of no release: a change holds with the next deploy.');

export const role = z
  .enum(ROLES, { error: ROLES.join(', ') })
  .describe(
    'What it is shown as. Default: backend when it is asked over HTTP, web for static files, worker for what only runs or has a schedule.',
  );
