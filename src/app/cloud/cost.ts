import type { CloudCost } from '../../api/contract/cloud/look.ts';
import type { Billed } from '../../domain/cloud/price/bill.ts';
import { type Budget, compareBudget } from '../../domain/cloud/price/cost.ts';
import type { Estimate } from '../../domain/cloud/price/estimate.ts';
import { addressOf } from '../../domain/cloud/resource.ts';
import { askForBill, billFrom, written } from './bill.ts';
import { billingMonthOf } from './billing-month.ts';
import { type DeskDeps, LOOK_MS, placeOf } from './desk-deps.ts';
import { seenWithin } from './look.ts';
import { estimated, priceView } from './price.ts';

/** What a month costs: estimated from the file, billed so far, and against the budget. */
export async function cloudCost(deps: DeskDeps, signal: AbortSignal): Promise<CloudCost> {
  const { month } = billingMonthOf(deps.now());
  const [{ desired, sight }, asked] = await Promise.all([
    seenWithin(deps, { deadlineMs: LOOK_MS.list, signal, more: [] }),
    askForBill(deps, month, signal),
  ]);
  const bill = billFrom(deps, asked, { month, things: [...desired, ...sight.observed] });
  const billed = 'billed' in bill ? bill.billed : null;
  const { lines, total, asOf, leavesOut } = estimated(desired, deps.config.region);
  const texts = new Map(billed?.parts.map(({ address, text }) => [address, text]) ?? []);
  const { budget } = deps.config;
  const unseen = sight.unknown.some(({ kind }) => kind === 'budget');
  const isThere = sight.observed.some(
    (each) => each.kind === 'budget' && desired.some((other) => addressOf(other) === addressOf(each)),
  );
  return {
    ...placeOf(deps),
    estimate: {
      total: priceView(total),
      pricesOf: asOf,
      lines: lines
        .map(({ address, price }) => ({
          address,
          monthly: priceView(price),
          actual: texts.get(address) ?? null,
          basis: price.leavesOut === null ? price.basis : `${price.basis}; without ${price.leavesOut}`,
        }))
        .filter(({ monthly, actual }) => monthly.text !== 'free' || actual !== null)
        .toSorted((a, b) => (b.monthly.high ?? Infinity) - (a.monthly.high ?? Infinity)),
      leavesOut: [...leavesOut],
    },
    actual: billed === null ? null : actualOf(billed, month),
    actualProblem: 'problem' in bill ? bill.problem : null,
    budget:
      budget === null
        ? null
        : {
            amount: budget.amount,
            currency: budget.currency,
            thresholds: budget.thresholds.map((share) => Math.round(share * 100)),
            exists: unseen ? null : isThere,
            ...standing(budget, { billed, month, total, now: deps.now() }),
          },
  };
}

const actualOf = ({ total, ...rest }: Billed, month: string): NonNullable<CloudCost['actual']> => ({
  ...rest,
  month: written(month),
  total: total.amount,
  text: total.text,
});

function standing(
  budget: Budget,
  { billed, month, total, now }: { billed: Billed | null; month: string; total: Estimate['total']; now: number },
): { level: 'within' | 'near' | 'over' | 'unknown'; reason: string } {
  // What is exported comes hours late: a forecast is made from the time that the bill is about.
  const until = billingMonthOf(Math.min(now, billed?.until ?? now));
  const { level, reason } = compareBudget(budget, {
    spent: billed === null ? null : { total: billed.total.amount, currency: billed.currency },
    expected: total,
    elapsed: until.month === month ? until.elapsed : 0,
  });
  return { level, reason };
}
