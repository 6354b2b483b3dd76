import { type Ast, fields, list, nodeOf, relationOf, text } from './ast.ts';
import type { Effect, StatementFacts } from './effects.ts';
import type { RuleCode } from './rules.ts';

/** Functions whose value is the same for all rows: the column is there at once, without writing the table anew. */
const STABLE = new Set(['now', 'current_timestamp', 'transaction_timestamp', 'statement_timestamp', 'current_user']);
const SERIAL = /^(?:small|big)?serial[248]?$/;

interface Table {
  name: string;
  shown: string;
}

/** What the commands of one ALTER TABLE do. Views and types are altered by the same statement. */
export function columnEffects(node: Ast): Partial<StatementFacts> {
  const table = relationOf(node['relation']);
  const effects = list(node['cmds']).flatMap((each) => {
    const command = nodeOf(each).node;
    return READERS[text(command['subtype'])]?.(command, table) ?? [];
  });
  return { locks: true, effects };
}

const effect = (code: RuleCode, what: string, table: Table, names: string[]): Effect => ({
  code,
  what,
  table: table.name,
  names,
});

const column = (command: Ast, table: Table): string => `${table.shown}.${text(command['name'])}`;

const READERS: Record<string, (command: Ast, table: Table) => Effect[]> = {
  AT_DropColumn: (command, table) => [
    effect('drop-column', `drops the column ${column(command, table)}`, table, [text(command['name'])]),
  ],
  AT_AlterColumnType: (command, table) => [
    effect('change-type', `changes the type of ${column(command, table)}`, table, [text(command['name'])]),
  ],
  AT_SetNotNull: (command, table) => [
    effect('set-not-null', `lets ${column(command, table)} be NULL no more`, table, [text(command['name'])]),
  ],
  AT_ColumnDefault: (command, table) =>
    command['def'] === undefined
      ? [effect('drop-default', `drops the default of ${column(command, table)}`, table, [text(command['name'])])]
      : [],
  AT_AddColumn: addColumn,
  AT_AddConstraint: (command, table) => constraint(fields(fields(command['def'])['Constraint']), table),
  AT_DropConstraint: (command, table) => [
    effect('drop-constraint', `drops the constraint ${column(command, table)}`, table, []),
  ],
  AT_EnableRowSecurity: (_, table) => [
    effect('row-security', `turns row security of ${table.shown} on`, table, [table.name]),
  ],
  AT_ForceRowSecurity: (_, table) => [
    effect('row-security', `forces row security of ${table.shown}`, table, [table.name]),
  ],
  AT_DetachPartition: (command, table) => {
    const part = relationOf(fields(fields(command['def'])['PartitionCmd'])['name']);
    return [effect('drop-partition', `takes the partition ${part.shown} out of ${table.shown}`, table, [table.name])];
  },
  AT_AddIdentity: (command, table) => [
    effect('set-not-null', `makes ${column(command, table)} an identity`, table, [text(command['name'])]),
  ],
  AT_SetTableSpace: (_, table) => [effect('rewrite', `moves ${table.shown} to another tablespace`, table, [])],
  AT_SetLogged: (_, table) => [effect('rewrite', `makes ${table.shown} logged`, table, [])],
  AT_SetUnLogged: (_, table) => [effect('rewrite', `makes ${table.shown} unlogged`, table, [])],
};

function addColumn(command: Ast, table: Table): Effect[] {
  const definition = fields(fields(command['def'])['ColumnDef']);
  const name = text(definition['colname']);
  const constraints = list(definition['constraints']).map((each) => fields(fields(each)['Constraint']));
  const has = (type: string): Ast | undefined => constraints.find((each) => text(each['contype']) === type);
  const types = list(fields(definition['typeName'])['names']).map((each) => text(nodeOf(each).node['sval']));
  const filled =
    SERIAL.test(types.at(-1) ?? '') || has('CONSTR_IDENTITY') !== undefined || has('CONSTR_GENERATED') !== undefined;
  const fallback = has('CONSTR_DEFAULT');
  const required = has('CONSTR_NOTNULL') !== undefined || has('CONSTR_PRIMARY') !== undefined;
  const shown = `${table.shown}.${name}`;
  const effects: Effect[] = [];
  if (required && !filled && (fallback === undefined || isNull(fallback)))
    effects.push(
      effect('add-column-not-null', `adds ${shown}, which must have a value and has no default`, table, [table.name]),
    );
  if (filled || (fallback !== undefined && isVolatile(fallback['raw_expr'])))
    effects.push(effect('rewrite', `adds ${shown} with a value of its own for every row`, table, []));
  for (const each of constraints) {
    const type = text(each['contype']);
    // A new column without a value breaks none of these.
    if (fallback !== undefined && (type === 'CONSTR_CHECK' || type === 'CONSTR_FOREIGN'))
      effects.push(...constraint(each, table));
    if (fallback !== undefined && type === 'CONSTR_UNIQUE') effects.push(...constraint(each, table));
  }
  return effects;
}

const isNull = (constraint: Ast): boolean => fields(fields(constraint['raw_expr'])['A_Const'])['isnull'] === true;

/** A default that is worked out for each row. */
function isVolatile(expression: unknown): boolean {
  const called = [...JSON.stringify(expression ?? null).matchAll(/"funcname":(\[.*?\])/g)];
  return called.some(([, names = '']) => {
    const last = [...names.matchAll(/"sval":"([^"]*)"/g)].at(-1)?.[1] ?? '';
    return !STABLE.has(last);
  });
}

const CONSTRAINTS: Record<string, { code: RuleCode; word: string }> = {
  CONSTR_CHECK: { code: 'add-check', word: 'a check' },
  CONSTR_NOTNULL: { code: 'set-not-null', word: 'NOT NULL' },
  CONSTR_FOREIGN: { code: 'add-foreign-key', word: 'a foreign key' },
  CONSTR_UNIQUE: { code: 'add-unique', word: 'uniqueness' },
  CONSTR_PRIMARY: { code: 'add-unique', word: 'a primary key' },
  CONSTR_EXCLUSION: { code: 'add-unique', word: 'an exclusion' },
};

function constraint(node: Ast, table: Table): Effect[] {
  const known = CONSTRAINTS[text(node['contype'])];
  if (known === undefined) return [];
  const name = text(node['conname']);
  const called = name === '' ? known.word : `${known.word} (${name})`;
  const lenient = node['skip_validation'] === true;
  return [
    effect(
      lenient ? 'add-not-valid' : known.code,
      `asks ${called} of ${table.shown}${lenient ? ', NOT VALID' : ''}`,
      table,
      [table.name],
    ),
  ];
}
