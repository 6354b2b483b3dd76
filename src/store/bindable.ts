export type Bindable = string | number | null;

/**
 * Only what SQLite and Postgres store alike. `undefined` would become NULL in silence and NaN too, a boolean or a Date
 * would be written by one of them and not the other. Postgres knows no NUL in text, and a program's last words, which
 * become the reason of a transition, may hold one: refusing it would keep that rollout from ever getting further.
 */
export function bindable(value: unknown): Bindable {
  if (value === null) return value;
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  const kind =
    value instanceof Date ? 'a Date' : typeof value === 'number' ? String(value) : `a value of type ${typeof value}`;
  throw new TypeError(`${kind} cannot be stored; give text, a finite number, 0/1 or null`);
}
