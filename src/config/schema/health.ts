import { z } from 'zod';

import { parsePath } from '../values/route.ts';
import { duration, keys, scalar } from './scalars.ts';

/** A path to ask, with a query if need be. */
export const requestPath = scalar((value) => {
  const [path = '', query] = value.trim().split(/\?(.*)/s);
  if (!parsePath(path).ok || /[\s#]/.test(query ?? '')) return null;
  // The trailing slash matters to some programs, so the path is asked as written.
  return value.trim();
}, 'a path such as /health').meta({ pattern: '^/' });

const details = keys({
  path: requestPath
    .describe('Asked with GET; any 2xx answer is healthy. Left out: an accepted connection is healthy.')
    .optional(),
  grace: duration().describe('Failures this soon after a start do not count. Default 10s.').optional(),
  deadline: duration({ min: 1000 })
    .describe('Healthy twice in a row within this time of the start, or the release fails. Default 60s.')
    .optional(),
  interval: duration({ min: 100 }).describe('Time between two checks. Default 2s.').optional(),
  timeout: duration({ min: 10 }).describe('For one check. Default 5s.').optional(),
});

export const health = z
  .union([requestPath.transform((path): z.output<typeof details> => ({ path })), z.literal(false), details], {
    error: 'a path such as /health, false, or path, grace, deadline, interval and timeout',
  })
  .describe(
    'How to tell that an instance is well: a path that answers 2xx, asked before it gets traffic and ever after. `false`: an accepted connection is enough.',
  );
