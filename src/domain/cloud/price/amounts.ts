import type { Allowance, Factor } from './price-list.ts';

/** USD for a month. */
export interface Price {
  low: number;
  /** Null: nobody can say. */
  high: number | null;
  /** What the figures rest on, in words with their numbers. */
  basis: string;
  /** What they leave out; null: nothing. */
  leavesOut: string | null;
  /** How much of both would be given away if nothing else used the allowances. */
  covered: Partial<Record<Allowance, { low: number; high: number }>>;
}

export const free = (basis: string, leavesOut: string | null = null): Price => ({
  low: 0,
  high: 0,
  basis,
  leavesOut,
  covered: {},
});

export const between = (low: number, high: number | null, basis: string, leavesOut: string | null = null): Price => ({
  low,
  high,
  basis,
  leavesOut,
  covered: {},
});

export const times = (amount: number, [low, high]: Factor): { low: number; high: number } => ({
  low: amount * low,
  high: amount * high,
});

/** `$12.34`, `$0.0105`: as many digits as an amount of its size needs. */
export const usd = (amount: number): string =>
  `$${amount < 0.1 ? String(Number(amount.toPrecision(3))) : amount.toFixed(2)}`;
