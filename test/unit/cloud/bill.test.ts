import { expect, test } from 'vitest';
import { billOf, centsThatAddUp, type Surroundings, type Thing } from '../../../src/domain/cloud/price/bill.ts';
import { billingExportOf, isBillingExport } from '../../../src/domain/cloud/price/billing-export.ts';
import { ownLabels } from '../../../src/domain/cloud/resource.ts';
import { billingMonthOf } from '../../../src/app/cloud/billing-month.ts';
import { billLine, DETAILED, EXPORT } from '../../support/cloud/bill.ts';

const scope = { project: 'shop', environment: 'production' };
const own = ownLabels(scope);
const labels = { project: 'shop', environment: 'production' };
const thing = (kind: Thing['kind'], name: string, its: Thing['labels'] = own): Thing => ({ kind, name, labels: its });

const around: Surroundings = {
  scope,
  cloudProject: 'shop-4711',
  things: [
    thing('sql-instance', 'shop-production-main'),
    thing('sql-instance', 'somebodys', {}),
    thing('bucket', 'shop-production-media'),
    thing('bucket', 'shop-production-faces'),
    thing('bucket', 'shop-4711-evenkeel-builds'),
    thing('service', 'shop-production-api'),
  ],
  services: new Map([['api', 'shop-production-api']]),
};

const bought = (...lines: Parameters<typeof billOf>[0]) => {
  const bill = billOf(lines, around);
  if (bill === null) throw new Error('no bill');
  return [
    ...bill.parts.map(({ address, text }) => `${address} ${text}`),
    ...bill.rest.map(({ of, what, text }) => `${of}: ${what} ${text}`),
  ];
};

test('a database is known by the labels on it where it is the only one that bears them', () => {
  expect(bought(billLine('Cloud SQL', { labels }))).toEqual(['sql-instance/shop-production-main $1.00']);
});

test('a service on Cloud Run is known by its name in the file; what ran beside it, a job, is not', () => {
  expect(bought(billLine('Cloud Run', { labels: { ...labels, service: 'api' } }))).toEqual([
    'service/shop-production-api $1.00',
  ]);
  expect(bought(billLine('Cloud Run', { labels }))).toEqual(['environment: Cloud Run $1.00']);
  expect(bought(billLine('Cloud Run', { labels: { ...labels, service: 'gone' } }))).toEqual([
    'environment: Cloud Run $1.00',
  ]);
});

test('of several buckets only the detailed export says which, and one that is gone is none of them', () => {
  expect(bought(billLine('Cloud Storage', { labels }))).toEqual(['environment: Cloud Storage $1.00']);
  expect(bought(billLine('Cloud Storage', { labels, resource: 'shop-production-faces' }))).toEqual([
    'bucket/shop-production-faces $1.00',
  ]);
  expect(bought(billLine('Cloud SQL', { labels, resource: 'shop-4711:europe-west1:shop-production-main' }))).toEqual([
    'sql-instance/shop-production-main $1.00',
  ]);
  expect(bought(billLine('Cloud SQL', { labels, resource: 'shop-production-old' }))).toEqual([
    'environment: Cloud SQL $1.00',
  ]);
});

test('sources of builds are those of the bucket for builds, not of the only other bucket', () => {
  expect(bought(billLine('Cloud Storage', { labels: { ...labels, role: 'builds' } }))).toEqual([
    'bucket/shop-4711-evenkeel-builds $1.00',
  ]);
});

test('what others and nobody paid for is shown as that, dearest first', () => {
  expect(
    bought(
      billLine('Cloud Logging', { cost: 500_000_000n }),
      billLine('Cloud SQL', { labels: { project: 'shop', environment: 'staging' }, cost: 3_000_000_000n }),
      billLine('Cloud Run', { labels: { project: 'shop', environment: 'staging' } }),
      billLine('Cloud SQL', { cost: 9_000_000_000n }),
      billLine('Cloud SQL', { labels: { project: 'other', environment: null } }),
    ),
  ).toEqual([
    'nobody: Cloud SQL $9.00',
    'elsewhere: shop/staging $4.00',
    'elsewhere: other/? $1.00',
    'nobody: Cloud Logging $0.50',
  ]);
});

test('credits are taken off, and said', () => {
  const bill = billOf([billLine('Cloud SQL', { labels, credits: -250_000_000n }), billLine('Cloud Run')], around);
  expect(bill).toMatchObject({ total: { amount: 1.75, text: '$1.75' }, credits: -0.25, currency: 'USD' });
});

test('amounts of two currencies are no bill, and neither is no line', () => {
  expect(billOf([billLine('Cloud SQL'), billLine('Cloud Run', { currency: 'EUR' })], around)).toBeNull();
  expect(billOf([], around)).toBeNull();
});

test('cents that were cut off are given to those that lost most', () => {
  const millis = (...all: number[]) => centsThatAddUp(all.map((each) => BigInt(each) * 1_000_000n)).map(Number);
  expect(millis(4, 4, 4)).toEqual([1, 0, 0]);
  expect(millis(19, 11, 10)).toEqual([2, 1, 1]);
  expect(millis(-15, 20)).toEqual([-1, 2]);
  expect(millis(-4)).toEqual([0]);
});

test('only the name of a usage cost export is taken, and nothing that could end a name in SQL', () => {
  expect(billingExportOf(EXPORT)).toMatchObject({ project: 'shop-billing', dataset: 'costs', detailed: false });
  expect(billingExportOf(DETAILED)).toMatchObject({ detailed: true });
  expect(isBillingExport(EXPORT.replace('shop-billing', 'example.com:shop-billing'))).toBe(true);
  for (const wrong of [
    EXPORT.replace('costs.', 'costs`; DROP TABLE x; --.'),
    `${EXPORT}\n`,
    `${EXPORT} WHERE`,
    EXPORT.replace('shop-billing.', ''),
    EXPORT.replace('gcp_billing_export_v1', 'cloud_pricing_export'),
    EXPORT.toLowerCase(),
  ])
    expect(isBillingExport(wrong)).toBe(false);
});

test('a month of a bill begins when it begins at Google', () => {
  expect(billingMonthOf(Date.UTC(2026, 10, 1, 6))).toMatchObject({ month: '202610' });
  expect(billingMonthOf(Date.UTC(2026, 10, 1, 7))).toEqual({ month: '202611', elapsed: 0 });
  expect(billingMonthOf(Date.UTC(2026, 10, 16, 8)).elapsed).toBeCloseTo(0.5, 9);
  expect(billingMonthOf(Date.UTC(2027, 0, 1, 7, 59))).toMatchObject({ month: '202612' });
});
