import { type Address, addressOf } from '../resource.ts';
import { ALLOWANCES, type Allowance, CURRENCY, PRICES_AS_OF } from './price-list.ts';
import type { Price } from './amounts.ts';
import { ASSUMED_USE, type Priced, priceOf, type Use } from './price.ts';

export interface PricedLine {
  address: Address;
  /** What is given away is taken off. */
  price: Price;
}

export interface Estimate {
  currency: typeof CURRENCY;
  /** Year and month of the list prices. */
  asOf: string;
  lines: PricedLine[];
  total: { low: number; high: number | null };
  /** What was taken off because Google gives it away; `high` only what is given to the project itself. */
  givenAway: { low: number; high: number };
  /** What no figure has. */
  leavesOut: readonly string[];
}

const LEFT_OUT = [
  'tax, discounts, commitments and credits',
  'traffic to the internet',
  'builds beyond 2,500 minutes a month',
  'logs beyond 50 GiB a month',
] as const;

/**
 * What these cost for a month. The allowances of the project are taken off; those of the billing account, which others may
 * use up, lower only the lower bound. Each is shared out in proportion to what lines would use of it.
 */
export function estimate(resources: readonly Priced[], region: string, use: Use = ASSUMED_USE): Estimate {
  const lines = resources.map((each) => ({ address: addressOf(each), price: priceOf(each, region, use) }));
  const shares = sharesGiven(lines.map(({ price }) => price));
  const taken = lines.map(({ address, price }) => ({ address, price: lessAllowances(price, shares) }));
  const low = sum(taken.map(({ price }) => price.low));
  const highs = taken.map(({ price }) => price.high);
  const before = sum(lines.map(({ price }) => price.low));
  const offHigh = sum(lines.map(({ price }, index) => (price.high ?? 0) - (taken[index]?.price.high ?? 0)));
  return {
    currency: CURRENCY,
    asOf: PRICES_AS_OF,
    lines: taken,
    total: { low, high: highs.includes(null) ? null : sum(highs.map((each) => each ?? 0)) },
    givenAway: { low: before - low, high: offHigh },
    leavesOut: LEFT_OUT,
  };
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, each) => total + each, 0);

type Shares = Record<Allowance, { low: number; high: number }>;

const allowances = Object.keys(ALLOWANCES) as Allowance[];

/** Which share of each use is given away, 0..1. */
function sharesGiven(prices: readonly Price[]): Shares {
  const shareOf = (usd: number, used: number): number => (used <= usd ? 1 : usd / used);
  return Object.fromEntries(
    allowances.map((each) => {
      const { usd, of } = ALLOWANCES[each];
      const low = shareOf(usd, sum(prices.map(({ covered }) => covered[each]?.low ?? 0)));
      const high = of === 'project' ? shareOf(usd, sum(prices.map(({ covered }) => covered[each]?.high ?? 0))) : 0;
      return [each, { low, high }];
    }),
  ) as Shares;
}

function lessAllowances(price: Price, shares: Shares): Price {
  const off = (bound: 'low' | 'high'): number =>
    sum(allowances.map((each) => (price.covered[each]?.[bound] ?? 0) * shares[each][bound]));
  const low = Math.max(0, price.low - off('low'));
  const high = price.high === null ? null : Math.max(low, price.high - off('high'));
  return { ...price, low, high };
}
