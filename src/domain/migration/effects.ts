import { type Ast, fields, list, nameParts, nodeOf, relationOf, text } from './ast.ts';
import { columnEffects } from './alter-table.ts';
import type { RuleCode } from './rules.ts';

/** One thing that a statement does to what the running release may use. */
export interface Effect {
  code: RuleCode;
  /** In words: `drops the column users.name`. */
  what: string;
  /** The table that it is about, as far as it is about one. */
  table: string | null;
  /** Names that a program would have to write to need it. */
  names: string[];
}

/** What of a statement its neighbours in the same files have to know. */
export interface StatementFacts {
  effects: Effect[];
  /** Tables that it makes: nobody uses those yet. */
  creates: string[];
  /** It takes a lock on a table, which others may have to wait for. */
  locks: boolean;
  setsLockTimeout: boolean;
  begins: boolean;
  ends: boolean;
  concurrently: boolean;
}

const NOTHING: StatementFacts = {
  effects: [],
  creates: [],
  locks: false,
  setsLockTimeout: false,
  begins: false,
  ends: false,
  concurrently: false,
};

const DROPS: Record<string, { code: RuleCode; word: string }> = {
  OBJECT_TABLE: { code: 'drop-table', word: 'table' },
  OBJECT_FOREIGN_TABLE: { code: 'drop-table', word: 'table' },
  OBJECT_VIEW: { code: 'drop-view', word: 'view' },
  OBJECT_MATVIEW: { code: 'drop-view', word: 'view' },
  OBJECT_TYPE: { code: 'drop-type', word: 'type' },
  OBJECT_DOMAIN: { code: 'drop-type', word: 'domain' },
  OBJECT_FUNCTION: { code: 'drop-function', word: 'function' },
  OBJECT_PROCEDURE: { code: 'drop-function', word: 'procedure' },
  OBJECT_ROUTINE: { code: 'drop-function', word: 'routine' },
  OBJECT_AGGREGATE: { code: 'drop-function', word: 'aggregate' },
  OBJECT_SEQUENCE: { code: 'drop-sequence', word: 'sequence' },
  OBJECT_SCHEMA: { code: 'drop-schema', word: 'schema' },
};

const RENAMED = new Map([
  ['OBJECT_TABLE', 'table'],
  ['OBJECT_FOREIGN_TABLE', 'table'],
  ['OBJECT_VIEW', 'view'],
  ['OBJECT_MATVIEW', 'view'],
  ['OBJECT_COLUMN', 'column'],
  ['OBJECT_ATTRIBUTE', 'attribute'],
  ['OBJECT_TYPE', 'type'],
  ['OBJECT_DOMAIN', 'domain'],
  ['OBJECT_FUNCTION', 'function'],
  ['OBJECT_PROCEDURE', 'procedure'],
  ['OBJECT_ROUTINE', 'routine'],
  ['OBJECT_SEQUENCE', 'sequence'],
  ['OBJECT_SCHEMA', 'schema'],
]);

/** What one statement, as the parser gives it, does. Pure, and total: what is not known here does nothing. */
export function factsOf(statement: unknown): StatementFacts {
  const { kind, node } = nodeOf(statement);
  const read = READERS[kind];
  return read === undefined ? NOTHING : { ...NOTHING, ...read(node) };
}

type Reader = (node: Ast) => Partial<StatementFacts>;

const READERS: Record<string, Reader> = {
  DropStmt: drop,
  RenameStmt: rename,
  AlterTableStmt: (node) => columnEffects(node),
  AlterObjectSchemaStmt(node) {
    const table = relationOf(node['relation']);
    const name = table.name === '' ? (nameParts(node['object']).at(-1) ?? '') : table.name;
    return {
      locks: true,
      effects: [effect('move-schema', `moves ${name} to the schema ${text(node['newschema'])}`, name)],
    };
  },
  AlterEnumStmt(node) {
    const type = nameParts(node['typeName']).at(-1) ?? '';
    const before = text(node['oldVal']);
    const after = text(node['newVal']);
    return before === ''
      ? { effects: [effect('add-enum-value', `adds '${after}' to ${type}`, null, [])] }
      : { effects: [effect('rename-enum-value', `calls '${before}' of ${type} '${after}'`, null, [before])] };
  },
  TruncateStmt(node) {
    const tables = list(node['relations']).map((each) => relationOf(nodeOf(each).node));
    return {
      locks: true,
      effects: tables.map(({ name, shown }) => effect('truncate', `empties the table ${shown}`, name)),
    };
  },
  IndexStmt(node) {
    const { name, shown } = relationOf(node['relation']);
    const concurrently = node['concurrent'] === true;
    const called = text(node['idxname']) === '' ? 'an index' : `the index ${text(node['idxname'])}`;
    const unique = node['unique'] === true ? [effect('add-unique', `makes ${called} of ${shown} unique`, name)] : [];
    const slow = concurrently ? [] : [effect('index', `makes ${called} of ${shown} while nobody writes`, name)];
    return { locks: !concurrently, concurrently, effects: [...unique, ...slow] };
  },
  CreateStmt: (node) => ({ creates: [relationOf(node['relation']).name] }),
  CreateTableAsStmt: (node) => ({ creates: [relationOf(fields(node['into'])['rel']).name] }),
  CreateSchemaStmt: (node) => ({ creates: [text(node['schemaname'])] }),
  ViewStmt(node) {
    const { name, shown } = relationOf(node['view']);
    return node['replace'] === true
      ? { effects: [effect('replace', `replaces the view ${shown}`, name)] }
      : { creates: [name] };
  },
  CreateFunctionStmt(node) {
    const name = nameParts(node['funcname']).at(-1) ?? '';
    return node['replace'] === true
      ? { effects: [effect('replace', `replaces the function ${name}`, null, [name])] }
      : {};
  },
  DoStmt: () => ({ effects: [effect('unread-block', 'runs a DO block', null, [])] }),
  CallStmt: () => ({ effects: [effect('unread-block', 'calls a procedure', null, [])] }),
  GrantStmt(node) {
    return node['is_grant'] === true ? {} : { effects: [effect('revoke', 'takes rights away', null, [])] };
  },
  LockStmt: () => ({ locks: true, effects: [effect('heavy-lock', 'locks tables', null, [])] }),
  ClusterStmt: () => ({ locks: true, effects: [effect('heavy-lock', 'sorts a table anew (CLUSTER)', null, [])] }),
  VacuumStmt(node) {
    const full = list(node['options']).some((each) => text(nodeOf(each).node['defname']) === 'full');
    return full ? { effects: [effect('heavy-lock', 'writes tables anew (VACUUM FULL)', null, [])] } : {};
  },
  ReindexStmt(node) {
    const concurrently = list(node['params']).some((each) => text(nodeOf(each).node['defname']) === 'concurrently');
    return concurrently
      ? { concurrently }
      : { locks: true, effects: [effect('heavy-lock', 'makes indexes anew', null, [])] };
  },
  UpdateStmt: (node) => wholeTable(node, 'changes'),
  DeleteStmt: (node) => wholeTable(node, 'deletes'),
  VariableSetStmt: (node) => ({ setsLockTimeout: text(node['name']) === 'lock_timeout' }),
  SelectStmt: (node) => ({ setsLockTimeout: JSON.stringify(node).includes('"lock_timeout"') }),
  TransactionStmt(node) {
    const what = text(node['kind']);
    return { begins: /BEGIN|START/.test(what), ends: /COMMIT|ROLLBACK$|PREPARE$/.test(what) };
  },
};

function wholeTable(node: Ast, verb: string): Partial<StatementFacts> {
  const { name, shown } = relationOf(node['relation']);
  const whole = node['whereClause'] === undefined;
  return whole ? { effects: [effect('whole-table', `${verb} every row of ${shown}`, name)] } : {};
}

function drop(node: Ast): Partial<StatementFacts> {
  const type = text(node['removeType']);
  const concurrently = node['concurrent'] === true;
  const objects = list(node['objects']).map((each) => nameParts(each));
  if (type === 'OBJECT_INDEX') {
    const effects = objects.map((parts) => effect('drop-index', `drops the index ${parts.join('.')}`, null, []));
    return concurrently ? { concurrently } : { locks: true, effects };
  }
  const known = DROPS[type];
  if (known === undefined) return {};
  const effects = objects.map((parts) =>
    effect(known.code, `drops the ${known.word} ${parts.join('.')}`, parts.at(-1) ?? null),
  );
  return { locks: true, effects };
}

function rename(node: Ast): Partial<StatementFacts> {
  const type = text(node['renameType']);
  const word = RENAMED.get(type);
  const after = text(node['newname']);
  const { name, shown } = relationOf(node['relation']);
  if (word === undefined) return {};
  if (type === 'OBJECT_COLUMN' || type === 'OBJECT_ATTRIBUTE') {
    const column = text(node['subname']);
    return {
      locks: true,
      effects: [effect('rename', `calls the ${word} ${shown}.${column} ${after}`, name, [column])],
    };
  }
  const before = name === '' ? (nameParts(node['object']).at(-1) ?? text(node['subname'])) : name;
  const called = shown === '' ? before : shown;
  return { locks: true, effects: [effect('rename', `calls the ${word} ${called} ${after}`, before)], creates: [after] };
}

/** By default it is the table's own name that a program would write. */
function effect(code: RuleCode, what: string, table: string | null, names?: string[]): Effect {
  return { code, what, table, names: names ?? (table === null ? [] : [table]) };
}
