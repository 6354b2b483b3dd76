import { z } from 'zod';

import { parseNetwork } from '../../domain/traffic/address.ts';
import { parseRate } from '../values/rate.ts';
import { requestPath } from './health.ts';
import {
  duration,
  keys,
  name,
  oneOrMany,
  percent,
  scalar,
  size,
  text,
  variableName,
  wholeNumber,
  yesNo,
} from './scalars.ts';

/** What the edge lets in at a route, and what it says about it. */

const off = z.preprocess((value) => (value === 'false' ? false : value), z.literal(false, { error: 'false' }));

const NETWORK = 'an address or a network such as 10.0.0.0/8 or 2001:db8::/32';
const network = scalar((value) => (parseNetwork(value) === null ? null : value.trim()), NETWORK);
export const networks = oneOrMany(network, `${NETWORK}, or a list of them`);

const userName = text('a name').refine((value) => !/[:\p{Cc}]/u.test(value) && value.length <= 128, {
  error: 'a name without colon, at most 128 characters long',
});

const basicAuth = keys({
  users: z
    .record(userName, variableName, { error: 'names, each with the name of the secret that holds the password' })
    .refine((users) => Object.keys(users).length > 0, { error: 'at least one user' })
    .describe('Who gets in: each name with the name of the secret (of `secrets`) that holds the password.'),
  realm: text('a text')
    .refine((value) => /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/.test(value), {
      error: 'a text of ASCII letters without quotes',
    })
    .describe('What browsers show when they ask for the password. Default: the name of the project.')
    .optional(),
  passOn: yesNo.describe('Whether the program is shown the credentials. Default false.').optional(),
});

const TAKEN =
  /^(x-forwarded-.*|forwarded|host|connection|keep-alive|transfer-encoding|content-length|content-type|upgrade|te|trailer|expect|cookie|set-cookie|evenkeel-.*|traceparent|tracestate|sec-websocket-.*)$/;
const headerName = scalar(
  (value) => (/^[a-z0-9-]{1,100}$/i.test(value) && !TAKEN.test(value.toLowerCase()) ? value.toLowerCase() : null),
  'the name of a header such as Remote-User',
);

const url = scalar((value) => {
  const parsed = URL.canParse(value) ? new URL(value) : null;
  const fits = parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.hash === '';
  return fits && parsed.username === '' && parsed.password === '' ? value : null;
}, 'a URL such as http://127.0.0.1:9000/verify, without user and password');

const forwardAuth = keys({
  service: name.describe('A service of this project that is asked, at its internal address. Or give `url`.').optional(),
  path: requestPath.describe('Where the service is asked. Default /.').optional(),
  url: url.describe('Somebody else who is asked, instead of `service`.').optional(),
  headers: oneOrMany(headerName, 'the name of a header such as Remote-User, or a list of them')
    .describe('Headers of the answer that the program gets. What clients send under these names is taken out.')
    .optional(),
  timeout: duration({ min: 10, max: 60_000, say: 'a duration from 10ms to 60s' })
    .describe('For the answer; without one in time the client is refused with 503. Default 5s.')
    .optional(),
});

export const access = keys({
  allow: networks.describe('Who gets in, by address. Default: everybody.').optional(),
  deny: networks.describe('Who does not, even if `allow` names them.').optional(),
  basicAuth: z
    .union([basicAuth, off], { error: '{ users } or false' })
    .describe('Names and passwords (HTTP basic authentication); `false` on a route: none there.')
    .optional(),
  forwardAuth: z
    .union([forwardAuth, off], { error: '{ service }, { url } or false' })
    .describe('Ask somebody else about each request: 2xx lets it in, any other answer is what the client gets.')
    .optional(),
}).describe('Who gets in. Holds at once, for every release.');

const rateKeys = keys({
  requests: wholeNumber(1, 1_000_000).describe('How many requests'),
  per: duration({ min: 1, max: 86_400_000, say: 'a duration from 1ms to 24h' }).describe('In how much time.'),
  burst: wholeNumber(1, 1_000_000)
    .describe('How many may come at once before the rate holds. Default: as many as `requests`.')
    .optional(),
  by: z
    .enum(['client', 'all'], { error: 'client or all' })
    .describe('Whether each client has a limit of its own (of IPv6: each /64), or all share one. Default client.')
    .optional(),
});

const rate = z.union(
  [
    scalar((value) => parseRate(value), 'a rate such as 10/s, 100/m or 600/10m').transform((parsed) => ({
      requests: parsed.requests,
      per: parsed.perMs,
    })),
    rateKeys,
    off,
  ],
  { error: 'a rate such as 10/s or 100/m, { requests, per, burst, by }, or false' },
);

export const limits = keys({
  rate: rate.describe('Most requests; beyond it clients get 429 with `Retry-After`. Default: none.').optional(),
  body: z
    .union([size, off], { error: 'a size such as 10Mi, or false' })
    .describe('Largest body of a request; beyond it clients get 413. `false`: no limit. Default 100Mi.')
    .optional(),
}).describe('How much is accepted. Holds at once, for every release.');

const page = text('the path of an HTML file');

export const errorPages = keys({
  401: page.describe('A password is asked for.').optional(),
  403: page.describe('Not let in, by address.').optional(),
  404: page.describe('No route leads there, or no file of a static service.').optional(),
  413: page.describe('A body is too large.').optional(),
  429: page.describe('Too many requests.').optional(),
  502: page.describe('The program gave no valid answer.').optional(),
  503: page.describe('Nothing is there to answer.').optional(),
  504: page.describe('The program took too long.').optional(),
}).describe(
  'HTML files for errors that the edge itself answers with, by status; within the project, at most 256 KiB each.',
);

const maintenanceKeys = keys({
  on: yesNo.describe('Closed now. Left off, `evenkeel maintenance on` closes it. Default false.').optional(),
  page: page.describe('An HTML file for whoever comes meanwhile. Default: a few words.').optional(),
  retryAfter: duration({ max: 30 * 86_400_000 })
    .describe('When clients are told to come back (`Retry-After`). Default 5m.')
    .optional(),
  allow: networks.describe('Addresses that get through all the same.').optional(),
});

export const maintenance = z
  .union([yesNo.transform((on): z.output<typeof maintenanceKeys> => ({ on })), maintenanceKeys], {
    error: 'true, false or { on, page, retryAfter, allow }',
  })
  .describe('Answer everybody with 503 and a page, while something is done that cannot be done otherwise.');

export const trustedProxies = oneOrMany(
  scalar((value) => {
    const parsed = parseNetwork(value);
    return parsed === null || parsed.bits === 0 ? null : value.trim();
  }, 'an address or a network such as 10.0.0.0/8, not everybody'),
  `${NETWORK}, or a list of them`,
).describe(
  'Proxies in front of the edge, such as a CDN: what they say of their clients (`X-Forwarded-*`) is believed.',
);

const accessLogKeys = keys({
  sample: percent(0, 100).describe('Share of the requests that are written. Default 10%.').optional(),
  slow: duration({ max: 3_600_000 }).describe('What took longer is always written. Default 1s.').optional(),
  query: yesNo.describe('Write queries, too, without values whose names look private. Default false.').optional(),
});

export const accessLog = z
  .union([yesNo, accessLogKeys], { error: 'true, false or { sample, slow, query }' })
  .describe('Write down what was asked: a sample, and everything that failed or was slow. Default false.');

/** The keys of a route and of a service. */
export const policyKeys = { access: access.optional(), limits: limits.optional() };

/** The keys of a service and of an environment. */
export const closedKeys = { errorPages: errorPages.optional(), maintenance: maintenance.optional() };
