/** `50 EUR`, `50 EUR/month`, `49.90 USD / month`; null for anything else. */
export function parseBudget(text: string): { amount: number; currency: string } | null {
  const [, amount = '', currency = ''] = /^\s*(\d+(?:\.\d+)?)\s*([A-Z]{3})\s*(?:\/\s*month\s*)?$/.exec(text) ?? [];
  return amount === '' || Number(amount) === 0 ? null : { amount: Number(amount), currency };
}
