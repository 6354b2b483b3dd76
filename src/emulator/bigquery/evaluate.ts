import type { Comparison, Expr, Select, Source } from './parse.ts';
import { AGGREGATES } from './parse.ts';
import { refuseSql, wrongSql } from './refuse-sql.ts';
import { cellOf, Numeric, numericOf } from './values.ts';
import type { Struct, Type, Value } from './values.ts';

export interface Relation {
  columns: Readonly<Record<string, Type>>;
  rows: Struct[];
}

export interface Surroundings {
  /** Throws 404. */
  table: (id: string) => Relation;
  parameters: ReadonlyMap<string, { type: Type; value: Value }>;
}

/** Rows of an enclosing query, of which a scalar one within it may speak. */
interface Scope {
  columns: Readonly<Record<string, Type>>;
  row: Struct;
}

/** What a SELECT answers. Throws 400 and what `table` throws. */
export function evaluate(select: Select, around: Surroundings, outer: Scope[] = []): Relation {
  const { columns, rows } = relationOf(select.from, around, outer);
  const scopesOf = (row: Struct): Scope[] => [{ columns, row }, ...outer];
  const nothing = Object.fromEntries(Object.keys(columns).map((name) => [name, null]));
  const one = { around, types: [{ columns, row: nothing }, ...outer] };
  const types = Object.fromEntries(select.items.map(({ name, expr }) => [name, typeOf(expr, one)]));
  const { where } = select;
  if (where !== null) typeOf(where, one);
  const kept = rows.filter((row) => where === null || valueOf(where, around, scopesOf(row)) === true);
  const shaped = (group: Struct[]): Struct =>
    Object.fromEntries(select.items.map(({ name, expr }) => [name, ofGroup(expr, group, around, scopesOf, nothing)]));
  const summed = select.items.filter(({ expr }) => aggregates(expr));
  if (summed.length === 0 && select.groupBy.length === 0)
    return { columns: types, rows: kept.map((row) => shaped([row])) };
  const keys = select.items.filter(({ expr }) => !aggregates(expr));
  const loose = keys.find(({ name }) => !select.groupBy.includes(name));
  if (loose !== undefined)
    throw wrongSql(`SELECT list expression references ${loose.name}, which is neither grouped nor aggregated`);
  const strange = select.groupBy.find((name) => !keys.some((key) => key.name === name));
  if (strange !== undefined) throw refuseSql(`GROUP BY ${strange}, which is not in the SELECT list`);
  if (keys.length === 0) return { columns: types, rows: [shaped(kept)] };
  const groups = Map.groupBy(kept, (row) =>
    JSON.stringify(keys.map(({ expr }) => cellOf(valueOf(expr, around, scopesOf(row))))),
  );
  return { columns: types, rows: [...groups.values()].map(shaped) };
}

function relationOf(from: Source | null, around: Surroundings, outer: Scope[]): Relation {
  if (from === null) return { columns: {}, rows: [{}] };
  if ('table' in from) return around.table(from.table);
  if ('select' in from) return evaluate(from.select, around, outer);
  const type = typeOf(from.unnest, { around, types: outer });
  if (typeof type !== 'object' || !('list' in type) || typeof type.list !== 'object' || !('fields' in type.list))
    throw wrongSql('Values referenced in UNNEST must be arrays');
  const list = valueOf(from.unnest, around, outer);
  return { columns: type.list.fields, rows: Array.isArray(list) ? (list as Struct[]) : [] };
}

/** Whether a value is made of many rows; a SELECT within brackets has rows of its own. */
function aggregates(expr: Expr): boolean {
  if (expr.is === 'call') return AGGREGATES.has(expr.name) || expr.given.some(aggregates);
  if (expr.is === 'cast') return aggregates(expr.of);
  if (expr.is === 'compare') return aggregates(expr.left) || aggregates(expr.right);
  return expr.is === 'and' && expr.all.some(aggregates);
}

function ofGroup(
  expr: Expr,
  group: Struct[],
  around: Surroundings,
  scopesOf: (row: Struct) => Scope[],
  nothing: Struct,
): Value {
  if (expr.is === 'call' && AGGREGATES.has(expr.name)) {
    const [of] = expr.given;
    const values = group.flatMap((row) => (of === undefined ? [] : [valueOf(of, around, scopesOf(row))]));
    const known = values.filter((value) => value !== null);
    return expr.name === 'SUM' ? sum(known) : known.reduce<Value>((a, b) => (a === null || less(a, b) ? b : a), null);
  }
  if (expr.is === 'call' && aggregates(expr))
    return applied(
      expr.name,
      expr.given.map((each) => ofGroup(each, group, around, scopesOf, nothing)),
    );
  if (aggregates(expr)) throw refuseSql('an aggregate within a comparison or CAST');
  return valueOf(expr, around, scopesOf(group[0] ?? nothing));
}

function sum(values: Value[]): Value {
  if (values.length === 0) return null;
  let total = 0n;
  for (const value of values) {
    if (!(value instanceof Numeric)) throw refuseSql('SUM of what is no NUMERIC');
    total += value.billionths;
  }
  return new Numeric(total);
}

function valueOf(expr: Expr, around: Surroundings, scopes: Scope[]): Value {
  switch (expr.is) {
    case 'text':
    case 'whole':
      return expr.value;
    case 'null':
      return null;
    case 'parameter':
      return parameter(expr.name, around).value;
    case 'path': {
      const [first = '', ...rest] = expr.names;
      const scope = scopes.find(({ columns }) => Object.hasOwn(columns, first));
      let value: Value = scope?.row[first] ?? null;
      for (const name of rest) value = value === null ? null : ((value as Struct)[name] ?? null);
      return value;
    }
    case 'cast': {
      const value = valueOf(expr.of, around, scopes);
      if (expr.type === 'STRING') return cellOf(value);
      const numeric = numericOf(value);
      if (numeric === undefined) throw wrongSql('Bad NUMERIC value');
      return numeric;
    }
    case 'call':
      return applied(
        expr.name,
        expr.given.map((each) => valueOf(each, around, scopes)),
      );
    case 'compare': {
      const [left, right] = [valueOf(expr.left, around, scopes), valueOf(expr.right, around, scopes)];
      return left === null || right === null ? null : holds(expr.by, left, right);
    }
    case 'and': {
      const all = expr.all.map((each) => valueOf(each, around, scopes));
      return all.includes(false) ? false : all.includes(null) ? null : true;
    }
    case 'select': {
      const { columns, rows } = evaluate(expr.select, around, scopes);
      if (rows.length > 1) throw wrongSql('Scalar subquery produced more than one element');
      return rows[0]?.[Object.keys(columns)[0] ?? ''] ?? null;
    }
  }
}

function applied(name: string, [first = null, second = null, third = null]: Value[]): Value {
  if (name === 'IFNULL')
    return first === null && typeof second === 'bigint' ? (numericOf(second) ?? null) : (first ?? second);
  if (name === 'IF') return first === true ? second : third;
  if (name === 'UNIX_MILLIS') return first instanceof Date ? BigInt(first.getTime()) : null;
  throw refuseSql(`${name} where there are no rows to take together`);
}

function holds(by: Comparison, left: Value, right: Value): boolean {
  if (by === '=') return !less(left, right) && !less(right, left);
  if (by === '<') return less(left, right);
  if (by === '>') return less(right, left);
  return by === '<=' ? !less(right, left) : !less(left, right);
}

const less = (a: Value, b: Value): boolean => {
  const [left, right] = [ordered(a), ordered(b)];
  if (typeof left !== typeof right) throw wrongSql('No matching signature for operator: the types differ');
  return left < right;
};

const ordered = (value: Value): string | number | bigint => {
  if (value instanceof Date) return value.getTime();
  if (value instanceof Numeric) return value.billionths;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
  throw refuseSql('a comparison of lists, structs or truths');
};

function parameter(name: string, { parameters }: Surroundings): { type: Type; value: Value } {
  const found = parameters.get(name);
  if (found === undefined) throw wrongSql(`Query parameter '${name}' not found`);
  return found;
}

/** Which type an expression has; names that are not there are refused here, whether there are rows or not. */
function typeOf(expr: Expr, at: { around: Surroundings; types: Scope[] }): Type {
  switch (expr.is) {
    case 'text':
    case 'null':
      return 'STRING';
    case 'whole':
      return 'INTEGER';
    case 'parameter':
      return parameter(expr.name, at.around).type;
    case 'path': {
      const [first = '', ...rest] = expr.names;
      let type = at.types.find(({ columns }) => Object.hasOwn(columns, first))?.columns[first];
      if (type === undefined) throw wrongSql(`Unrecognized name: ${first}`);
      for (const name of rest) {
        type = typeof type === 'object' && 'fields' in type ? type.fields[name] : undefined;
        if (type === undefined) throw wrongSql(`Field name ${name} does not exist in ${first}`);
      }
      return type;
    }
    case 'cast':
      typeOf(expr.of, at);
      return expr.type;
    case 'call': {
      const types = expr.given.map((each) => typeOf(each, at));
      return expr.name === 'UNIX_MILLIS' ? 'INTEGER' : ((expr.name === 'IF' ? types[1] : types[0]) ?? 'STRING');
    }
    case 'compare':
    case 'and':
      for (const each of expr.is === 'and' ? expr.all : [expr.left, expr.right]) typeOf(each, at);
      return 'BOOLEAN';
    case 'select':
      return Object.values(evaluate(expr.select, at.around, at.types).columns)[0] ?? 'STRING';
  }
}
