/** A value of SQL: text, INT64, FLOAT64, NUMERIC, a moment, a truth, a list or a struct. */
export type Value = string | bigint | number | Numeric | Date | boolean | null | Value[] | Struct;

export interface Struct {
  [field: string]: Value;
}

/** BigQuery's NUMERIC: nine digits behind the point, exactly. */
export class Numeric {
  readonly billionths: bigint;

  constructor(billionths: bigint) {
    this.billionths = billionths;
  }

  toString(): string {
    const { billionths } = this;
    const size = billionths < 0n ? -billionths : billionths;
    const part = String(size % BILLION)
      .padStart(9, '0')
      .replace(/0+$/, '');
    return `${billionths < 0n ? '-' : ''}${size / BILLION}${part === '' ? '' : `.${part}`}`;
  }
}

const BILLION = 1_000_000_000n;

/** Of a FLOAT64 or an INT64; null stays null. Anything else is no number: undefined. */
export function numericOf(value: Value): Numeric | null | undefined {
  if (value === null || value instanceof Numeric) return value;
  if (typeof value === 'bigint') return new Numeric(value * BILLION);
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return new Numeric(BigInt(value.toFixed(9).replace('.', '')));
}

export type Type =
  | 'STRING'
  | 'INTEGER'
  | 'FLOAT'
  | 'NUMERIC'
  | 'TIMESTAMP'
  | 'BOOLEAN'
  | { fields: Readonly<Record<string, Type>> }
  | { list: Type };

/** A cell of an answer: everything is text there. */
export const cellOf = (value: Value): string | null => {
  if (value === null) return null;
  if (value instanceof Date) return String(value.getTime() / 1000);
  return typeof value === 'object' && !(value instanceof Numeric) ? JSON.stringify(value) : String(value);
};
