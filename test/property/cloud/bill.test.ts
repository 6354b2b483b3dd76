import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BillLine, billOf, centsThatAddUp } from '../../../src/domain/cloud/price/bill.ts';
import * as some from '../../support/cloud/arbitrary-cloud.ts';

const scope = { project: 'shop', environment: 'production' };
const orNull = <T>(...values: T[]) => fc.constantFrom<(T | null)[]>(null, ...values);
/** Billionths; most are below a cent, as those of small systems are. */
const amount = fc.oneof(fc.bigInt(0n, 30_000_000n), fc.bigInt(-5_000_000_000n, 900_000_000_000n));
const line: fc.Arbitrary<BillLine> = fc.record({
  currency: fc.constant('EUR'),
  service: fc.constantFrom('Cloud SQL', 'Cloud Run', 'Cloud Storage', 'Secret Manager', 'Cloud Logging', 'constructor'),
  labels: fc.record({
    project: orNull('shop', 'other'),
    environment: orNull('production', 'staging'),
    service: orNull('api', 'gone'),
    role: orNull('builds'),
  }),
  resource: orNull('shop-main', 'a/b:shop-main', ''),
  cost: amount,
  credits: fc.bigInt(-2_000_000_000n, 0n),
  until: fc.nat(),
});
const things = fc.oneof(some.desiredResources(scope), some.observedResources(scope));
const cents = (text: string): number => Math.round(Number(text.replaceAll(/[^\d.-]/g, '')) * 100);
const sum = (all: number[]): number => all.reduce((a, b) => a + b, 0);

test('whatever is on a bill, what is shown adds up to it: nothing is lost and nothing counted twice', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 40 }), things, (lines, all) => {
      const services = new Map([['api', 'shop-production-api']]);
      const bill = billOf(lines, { scope, cloudProject: 'shop-4711', things: all, services });
      if (bill === null) throw new Error('no bill');
      const whole = lines.reduce((total, { cost, credits }) => total + cost + credits, 0n);
      const shown = [...bill.parts, ...bill.rest];
      expect(bill.total.amount).toBeCloseTo(Number(whole) / 1e9, 6);
      expect(sum(shown.map(({ amount: each }) => each))).toBeCloseTo(bill.total.amount, 6);
      expect(sum(shown.map(({ text }) => cents(text)))).toBe(cents(bill.total.text));
      for (const { amount: each, text } of shown) expect(Math.abs(cents(text) - each * 100)).toBeLessThan(1 + 1e-6);
    }),
    { numRuns: 200 },
  );
});

test('no amount is shown more than a cent from what it is', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(-(10n ** 12n), 10n ** 12n), { maxLength: 30 }), (all) => {
      centsThatAddUp(all).forEach((each, index) => {
        const off = each * 10_000_000n - (all[index] ?? 0n);
        expect(off > -10_000_000n && off < 10_000_000n).toBe(true);
      });
    }),
  );
});
