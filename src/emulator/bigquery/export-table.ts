import { invalid, notFound } from '../core/google-error.ts';
import type { World } from '../core/world.ts';
import { isObject, objectsAt, textAt } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Struct, Type, Value } from './values.ts';

const PAIRS: Type = { list: { fields: { key: 'STRING', value: 'STRING' } } };

/** Columns of a table into which a billing account exports usage cost; those of the detailed export have `resource`, too. */
const COLUMNS: Readonly<Record<string, Type>> = {
  billing_account_id: 'STRING',
  service: { fields: { id: 'STRING', description: 'STRING' } },
  sku: { fields: { id: 'STRING', description: 'STRING' } },
  usage_start_time: 'TIMESTAMP',
  usage_end_time: 'TIMESTAMP',
  project: { fields: { id: 'STRING', number: 'STRING', name: 'STRING', labels: PAIRS } },
  labels: PAIRS,
  system_labels: PAIRS,
  export_time: 'TIMESTAMP',
  cost: 'FLOAT',
  currency: 'STRING',
  credits: { list: { fields: { id: 'STRING', name: 'STRING', type: 'STRING', amount: 'FLOAT' } } },
  invoice: { fields: { month: 'STRING' } },
  cost_type: 'STRING',
  _PARTITIONTIME: 'TIMESTAMP',
};

const columnsOf = (id: string): Readonly<Record<string, Type>> =>
  id.includes('.gcp_billing_export_resource_')
    ? { ...COLUMNS, resource: { fields: { name: 'STRING', global_name: 'STRING' } } }
    : COLUMNS;

export interface ExportTable {
  columns: Readonly<Record<string, Type>>;
  rows: Struct[];
  bytes: number;
  /** How many answers come before one that is complete. */
  late: number;
}

const ID = /^(.+)\.([^.]+)\.([^.]+)$/;
const tables = (world: World) => world.state.table('bigquery.tables');

/**
 * Puts rows into a table, in the place of those it had: `{ table: 'PROJECT.DATASET.TABLE', rows: […], late: 0 }`. Throws 400
 * for columns that such an export has not.
 */
export function loadTable(world: World, given: Json): void {
  const id = textAt(given, 'table') ?? '';
  if (!isObject(given) || !ID.test(id)) throw invalid('A table is named PROJECT.DATASET.TABLE, and has rows.');
  const rows = objectsAt(given, 'rows');
  rows.forEach((row, index) => valueOf({ fields: columnsOf(id) }, row, `rows[${index}]`));
  tables(world).set(id, { rows, late: Number(given['late'] ?? 0) });
}

/** Throws 404 as BigQuery does. */
export function findTable(world: World, id: string, location: string): ExportTable {
  const row = tables(world).get(id);
  const [, project = '', dataset = '', table = ''] = ID.exec(id) ?? [];
  if (row === undefined) {
    const isThere = tables(world).keys(`${project}.${dataset}.`).length > 0;
    const what = isThere ? `Table ${project}:${dataset}.${table}` : `Dataset ${project}:${dataset}`;
    throw notFound(`Not found: ${what} was not found in location ${location}`);
  }
  const columns = columnsOf(id);
  const rows = objectsAt(row, 'rows');
  return {
    columns,
    rows: rows.map((each) => structOf(columns, { _PARTITIONTIME: dayOf(each), ...each })),
    bytes: JSON.stringify(rows).length,
    late: Number(row['late'] ?? 0),
  };
}

/** Where nothing says when it came in: on the day of its export, else of its use. */
const dayOf = (row: JsonObject): Json =>
  `${(textAt(row, 'export_time') ?? textAt(row, 'usage_end_time') ?? '1970-01-01').slice(0, 10)}T00:00:00Z`;

const structOf = (fields: Readonly<Record<string, Type>>, given: JsonObject): Struct =>
  Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, valueOf(type, given[name] ?? null, name)]));

function valueOf(type: Type, given: Json, field: string): Value {
  const wrong = (): never => {
    throw invalid(`${field}: an export has no such value: ${JSON.stringify(given)}`);
  };
  if (typeof type === 'object' && 'list' in type) {
    if (given === null) return [];
    return Array.isArray(given) ? given.map((each, index) => valueOf(type.list, each, `${field}[${index}]`)) : wrong();
  }
  if (given === null) return null;
  if (typeof type === 'object') {
    if (!isObject(given)) return wrong();
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(type.fields, name));
    if (unknown !== undefined) throw invalid(`${field}: an export has no column ${unknown}`);
    return structOf(type.fields, given);
  }
  if (type === 'TIMESTAMP')
    return typeof given === 'string' && !Number.isNaN(Date.parse(given)) ? new Date(given) : wrong();
  if (type === 'FLOAT') return typeof given === 'number' ? given : wrong();
  return typeof given === 'string' ? given : wrong();
}
