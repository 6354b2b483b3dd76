/** The month of a bill, which begins and ends where Google is. */
export interface BillingMonth {
  /** `202611`. */
  month: string;
  /** How much of it is over, 0..1. */
  elapsed: number;
}

const THERE = new Intl.DateTimeFormat('en', {
  timeZone: 'America/Los_Angeles',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
});

/** `at`: wall time, ms. */
export function billingMonthOf(at: number): BillingMonth {
  const parts = new Map(THERE.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const [year, month] = [part('year'), part('month')];
  const days = part('day') - 1 + (part('hour') + part('minute') / 60) / 24;
  return {
    month: `${year}${String(month).padStart(2, '0')}`,
    elapsed: days / new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}
