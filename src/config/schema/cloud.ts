import { z } from 'zod';

import { isBillingExport } from '../../domain/cloud/price/billing-export.ts';
import { parseBudget } from '../values/budget.ts';
import { decimal, duration, keys, oneOrMany, percent, scalar, text, wholeNumber, yesNo } from './scalars.ts';

/** What is set up in the cloud beside services, databases, buckets and secrets, which say it themselves. */

export const matching = (pattern: RegExp, expected: string) =>
  scalar((value) => (pattern.test(value) ? value : null), expected);

const projectId = matching(
  /^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
  'the id of a cloud project: 6 to 30 lower-case letters, digits and dashes',
);

const region = matching(/^[a-z]+-[a-z]+[0-9]{1,2}$/, 'a region such as europe-west1');

const api = matching(/^[a-z0-9-]+(\.googleapis\.com)?$/, 'an API such as pubsub.googleapis.com').transform((name) =>
  name.includes('.') ? name : `${name}.googleapis.com`,
);

const ROLE = 'a role such as cloudsql.client or roles/pubsub.publisher';
const role = matching(/^((projects|organizations)\/[\w.:-]+\/)?(roles\/)?[A-Za-z][\w.]*$/, ROLE).transform((name) =>
  name.includes('roles/') ? name : `roles/${name}`,
);

const labelKey = z.string().regex(/^(?!evenkeel-)[a-z][a-z0-9_-]{0,62}$/, {
  error: 'a label of lower-case letters, digits, dashes and underscores that does not begin with evenkeel-',
});
const labelValue = matching(/^[a-z0-9_-]{0,63}$/, 'a value of lower-case letters, digits, dashes and underscores');

const networkName = matching(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a network, such as default');
const networkKeys = keys({
  name: networkName.describe('The network in which the database has its private address.'),
  egress: z
    .enum(['direct', 'connector'], { error: 'direct or connector' })
    .describe('How services reach it: by themselves, or through a serverless connector. Default direct.')
    .optional(),
  range: matching(/^(\d{1,3}\.){3}\d{1,3}\/28$/, 'a free range such as 10.8.0.0/28')
    .describe('Addresses of the connector. Default 10.8.0.0/28.')
    .optional(),
});

const account = keys({
  name: matching(
    /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
    'a name of 6 to 30 lower-case letters, digits and dashes, without the @',
  )
    .describe('What stands before the @. Default: made from the names of project and environment.')
    .optional(),
  roles: oneOrMany(role, `${ROLE}, or a list of them`)
    .describe('Instead of cloudsql.client, storage.objectAdmin, secretmanager.secretAccessor and run.invoker.')
    .optional(),
  keyFile: text('the path of a file')
    .describe('Where `evenkeel cloud setup` writes a key of it, outside of the project. Default: no key is made.')
    .optional(),
}).describe('The service account that all services run as.');

const repository = keys({
  name: matching(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a name of lower-case letters, digits and dashes')
    .describe('Default: made from the names of project and environment.')
    .optional(),
  keep: wholeNumber(1, 1000).describe('How many images of each service are kept. Default 10.').optional(),
}).describe('Where images are kept.');

const BUDGET = 'an amount for a month such as "50 EUR"';
const budgetKeys = keys({
  amount: decimal(0.01, 100_000_000, 'an amount such as 50').describe('For a month.'),
  currency: matching(/^[A-Z]{3}$/, 'a currency such as EUR').describe('That of the billing account.'),
  alerts: z
    .array(percent(1, 1000), { error: 'a list of shares such as [50%, 90%, 100%]' })
    .describe('Shares of the amount at which people are told. Default 50%, 90% and 100%.')
    .optional(),
});

const budget = z.union(
  [scalar(parseBudget, BUDGET).transform((parsed): z.output<typeof budgetKeys> => parsed), budgetKeys],
  { error: `${BUDGET}, or { amount, currency, alerts }` },
);

const billingExport = scalar(
  (value) => (isBillingExport(value) ? value : null),
  'the table of a usage cost export, PROJECT.DATASET.gcp_billing_export_v1_XXXXXX_XXXXXX_XXXXXX (or …_export_resource_v1_…)',
);

const logs = keys({
  keep: duration({ min: 86_400_000, max: 3650 * 86_400_000, say: 'a duration of whole days from 1d to 3650d' })
    .describe('How long logs are kept. Environments in the same cloud project share the longest. Default 30d.')
    .optional(),
  audit: yesNo.describe('Whether it is written down who read and changed what. Default true.').optional(),
});

const email = matching(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an address such as ops@example.com');

/** Google looks no other times than these. */
const PERIODS = [60_000, 300_000, 600_000, 900_000];
const PERIOD = '1m, 5m, 10m or 15m';

const alerts = keys({
  email: oneOrMany(email, 'an address such as ops@example.com, or a list of them')
    .describe('Who is told when a service is down, slow or fails. Default: nobody.')
    .optional(),
  every: duration({ say: PERIOD })
    .refine((ms) => PERIODS.includes(ms), { error: PERIOD })
    .describe('How often each public service is looked at from outside: 1m, 5m, 10m or 15m. Default 5m.')
    .optional(),
});

const off = z.preprocess((value) => (value === 'false' ? false : value), z.literal(false, { error: 'false' }));

export const cloud = keys({
  provider: z.enum(['google'], { error: 'google' }).describe('Whose cloud. Default google.').optional(),
  project: projectId.describe('Id of the cloud project.').optional(),
  region: region.describe('Where everything is, such as europe-west1.').optional(),
  apis: oneOrMany(api, 'an API such as pubsub.googleapis.com, or a list of them')
    .describe('APIs to enable beside those that are needed anyhow.')
    .optional(),
  labels: z
    .record(labelKey, labelValue, { error: 'labels and their values' })
    .describe("Put on everything beside evenkeel's own.")
    .optional(),
  network: z
    .union([networkName.transform((name): z.output<typeof networkKeys> => ({ name })), networkKeys], {
      error: 'the name of a network, or { name, egress, range }',
    })
    .describe('The database has an address in this network, and no public one. Default: none.')
    .optional(),
  account: account.optional(),
  repository: repository.optional(),
  budget: budget.describe('Google tells when it is used up, at 50, 90 and 100 %; nothing is stopped.').optional(),
  billingExport: billingExport
    .describe(
      'Table of BigQuery into which the billing account exports usage cost; `evenkeel cloud cost` reads there what was billed. Default: none.',
    )
    .optional(),
  logs: logs.describe('How long logs are kept.').optional(),
  alerts: alerts.describe('Who is told when a service is not well.').optional(),
  urlFile: z
    .union([off, text('the path of a file')], { error: 'the path of a file, or false' })
    .describe('Where the addresses of services are written after a deploy. Default: .env.ENVIRONMENT.')
    .optional(),
}).describe('Where services, databases and buckets are in the cloud of Google.');

export type WrittenCloud = z.output<typeof cloud>;
