const CARE = ['production', 'staging', 'development'];

/** Environments, with what matters most first. */
export function byCare(a: string, b: string): number {
  // Of names that are the user's own nobody knows; they are no place to try things out.
  const rank = (name: string): number => (CARE.includes(name) ? CARE.indexOf(name) : 0.5);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}
