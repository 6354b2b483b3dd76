import type { CloudCost } from '../../api/contract/cloud/look.ts';
import { compareBudget, money } from '../../domain/cloud/price/cost.ts';
import { addressOf } from '../../domain/cloud/resource.ts';
import { type DeskDeps, LOOK_MS, placeOf } from './desk-deps.ts';
import { seenWithin } from './look.ts';
import { estimated, priceView } from './price.ts';

/** What a month costs: estimated from the file, billed so far, and against the budget. */
export async function cloudCost(deps: DeskDeps, signal: AbortSignal): Promise<CloudCost> {
  const looked = seenWithin(deps, { deadlineMs: LOOK_MS.list, signal, more: [] });
  const [{ desired, sight }, spent] = await Promise.all([
    looked,
    // What it is billed is worth knowing, and no reason to say nothing at all.
    deps.cloud.spent?.(signal).catch(() => null) ?? null,
  ]);
  const { lines, total, asOf, leavesOut } = estimated(desired, deps.config.region);
  const billed = new Map(spent?.parts.map(({ address, amount }) => [address, amount]) ?? []);
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
        .map(({ address, price }) => {
          const amount = billed.get(address);
          return {
            address,
            monthly: priceView(price),
            actual: amount === undefined || spent === null ? null : money(amount, spent.currency),
            basis: price.leavesOut === null ? price.basis : `${price.basis}; without ${price.leavesOut}`,
          };
        })
        .filter(({ monthly, actual }) => monthly.text !== 'free' || actual !== null)
        .toSorted((a, b) => (b.monthly.high ?? Infinity) - (a.monthly.high ?? Infinity)),
      leavesOut: [...leavesOut],
    },
    actual: spent,
    budget:
      budget === null
        ? null
        : {
            amount: budget.amount,
            currency: budget.currency,
            thresholds: budget.thresholds.map((share) => Math.round(share * 100)),
            exists: unseen ? null : isThere,
            ...standing(deps, budget, { spent, total }),
          },
  };
}

function standing(
  { now }: DeskDeps,
  budget: NonNullable<DeskDeps['config']['budget']>,
  {
    spent,
    total,
  }: { spent: Parameters<typeof compareBudget>[1]['spent']; total: { low: number; high: number | null } },
): { level: 'within' | 'near' | 'over' | 'unknown'; reason: string } {
  const date = new Date(now());
  const begun = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const ended = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  const elapsed = (date.getTime() - begun) / (ended - begun);
  const { level, reason } = compareBudget(budget, { spent, expected: total, elapsed });
  return { level, reason };
}
