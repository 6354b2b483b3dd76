import type { Estimate } from './estimate.ts';

/** Below half a cent. */
const isFree = ({ low, high }: { low: number; high: number | null }): boolean => low < 0.005 && (high ?? 1) < 0.005;

/** `$12.34`, `$4.10 to 12.30`, `up to $0.20`, `at least $7.30`, `not known`, `free`. */
export function formatPrice({ low, high }: { low: number; high: number | null }): string {
  if (isFree({ low, high })) return 'free';
  if (high === null) return low < 0.005 ? 'not known' : `at least ${money(low)}`;
  if (money(low) === money(high)) return money(low);
  return low < 0.005 ? `up to ${money(high)}` : `${money(low)} to ${cents(high)}`;
}

const cents = (amount: number): string => amount.toFixed(2).replaceAll(/\B(?=(\d{3})+\.)/g, ',');

export const money = (amount: number, currency = 'USD'): string =>
  currency === 'USD' ? `$${cents(amount)}` : `${cents(amount)} ${currency}`;

export interface Budget {
  amount: number;
  currency: string;
  /** Shares of the amount, such as 0.5. */
  thresholds: readonly number[];
}

export interface BudgetState {
  level: 'within' | 'near' | 'over' | 'unknown';
  /** Highest threshold that what was spent has reached; null: none. */
  reached: number | null;
  /** Share of the budget that was spent; null: not known. */
  share: number | null;
  /** What the month will have cost if it goes on like this; null: too early, or not known. */
  forecast: number | null;
  reason: string;
}

/** A forecast from less of a month says little. */
const ENOUGH = 0.1;

/**
 * How a budget stands. `elapsed` is how much of the month is over, 0..1. Amounts of different currencies are not compared:
 * nobody here knows what one is worth in the other.
 */
export function compareBudget(
  budget: Budget,
  {
    spent,
    expected,
    elapsed,
  }: { spent: { total: number; currency: string } | null; expected: Estimate['total']; elapsed: number },
): BudgetState {
  const amount = money(budget.amount, budget.currency);
  if (spent === null || spent.currency !== budget.currency) {
    const why = spent === null ? 'what was spent is not known' : `the bill is in ${spent.currency}`;
    return {
      level: 'unknown',
      reached: null,
      share: null,
      forecast: null,
      reason: `${why}; ${expectation(budget, expected)}`,
    };
  }
  const share = budget.amount <= 0 ? Infinity : spent.total / budget.amount;
  const reached = Math.max(...budget.thresholds.filter((each) => share >= each), -1);
  const forecast = elapsed >= ENOUGH ? spent.total / Math.min(1, elapsed) : null;
  const now = `${money(spent.total, spent.currency)} of ${amount} spent (${percent(share)})`;
  const coming = forecast === null ? '' : `, about ${money(forecast, spent.currency)} by the end of the month`;
  const level = share >= 1 ? 'over' : reached >= 0 || (forecast ?? 0) > budget.amount ? 'near' : 'within';
  const passed = reached < 0 ? '' : `: the threshold of ${percent(reached)} is reached`;
  return { level, reached: reached < 0 ? null : reached, share, forecast, reason: `${now}${coming}${passed}` };
}

const percent = (share: number): string =>
  Number.isFinite(share) ? `${Math.floor(share * 100 + 1e-9)} %` : 'all of it';

/** Before anything is spent: whether the estimate fits. */
function expectation(budget: Budget, { low, high }: Estimate['total']): string {
  const amount = money(budget.amount, budget.currency);
  const estimate = formatPrice({ low, high });
  if (budget.currency !== 'USD') return `the estimate is ${estimate}, the budget ${amount}`;
  if (low > budget.amount) return `the estimate, ${estimate}, is over the budget of ${amount}`;
  if (high === null || high > budget.amount) return `the estimate, ${estimate}, may be over the budget of ${amount}`;
  return `the estimate, ${estimate}, is within the budget of ${amount}`;
}
