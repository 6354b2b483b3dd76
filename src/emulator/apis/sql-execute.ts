import type { Call } from '../core/api.ts';
import { invalid, notFound, notModelled } from '../core/google-error.ts';
import type { World } from '../core/world.ts';
import { objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { EXTENSIONS } from './sql-catalogue.ts';
import { databases, fingerprint, users } from './sql-contents.ts';
import { runnable } from './sql-instance.ts';
import { serverOf, SqlProblem } from './sql-server.ts';
import type { SqlTable } from './sql-server.ts';
import { secretValue } from './secretmanager.ts';

/** `executeSql`: by a real server where one stands behind, else what is known of extensions. */
export async function executeSql(call: Call, world: World): Promise<JsonObject> {
  const project = call.project?.id ?? '';
  const instance = runnable(world, project, call.at('instance'));
  if (textAt(instance, 'settings.dataApiAccess') !== 'ALLOW_DATA_API')
    throw invalid('Executing SQL requires the Data API of the instance: set settings.dataApiAccess to ALLOW_DATA_API.');
  const statement = textAt(call.body, 'sqlStatement') ?? '';
  if (statement.trim() === '') throw invalid('The SQL statement is required.');
  const database = `${project}/${call.at('instance')}/${textAt(call.body, 'database') ?? 'postgres'}`;
  if (!databases(world).has(database)) return failed(`database "${database.split('/')[2] ?? ''}" does not exist`);
  const refused = signIn(call, world, project);
  if (refused !== null) return failed(refused);
  try {
    const server = serverOf(world);
    const table = server === null ? pretended(world, database, statement) : await server.run(database, statement);
    return {
      results: [
        {
          columns: table.columns,
          rows: table.rows.map((row) => ({
            values: row.map((value): JsonObject => (value === null ? { nullValue: true } : { value })),
          })),
          message: table.message,
        },
      ],
      metadata: { sqlStatementExecutionTime: '0.002s' },
    };
  } catch (error) {
    if (error instanceof SqlProblem) return failed(error.message);
    throw error;
  }
}

const failed = (message: string): JsonObject => ({ status: { code: 3, message } });

/** Who has a password presents the secret's; without a user it is the caller, who needs an account in the database. */
function signIn(call: Call, world: World, project: string): string | null {
  const name = textAt(call.body, 'user');
  if (name === undefined) {
    if (call.body['autoIamAuthn'] === true) return null;
    throw invalid('A user with passwordSecretVersion, or autoIamAuthn, is required.');
  }
  const user = users(world).get(`${project}/${call.at('instance')}/${name}`);
  const version = textAt(call.body, 'passwordSecretVersion') ?? '';
  const [secret = '', number = ''] = world.projects.normal(version).split('/versions/');
  const password = secretValue(world, secret, number);
  if (password === null) throw notFound(`Secret version ${version} was not found, or cannot be read.`);
  const right = user !== undefined && user['fingerprint'] === fingerprint(password.toString());
  return right ? null : `password authentication failed for user "${name}"`;
}

const NAME = String.raw`(?:"((?:[^"]|"")+)"|([a-z_][a-z0-9_]*))`;
const CREATE = new RegExp(String.raw`^create\s+extension\s+(if\s+not\s+exists\s+)?${NAME}(\s+.*)?$`, 'is');
const DROP = new RegExp(String.raw`^drop\s+extension\s+(if\s+exists\s+)?${NAME}(\s+(cascade|restrict))?$`, 'is');
const SELECT =
  /^select\s+(extname|extversion|extname\s*,\s*extversion|1|count\(\*\))\s+from\s+(?:pg_catalog\.)?pg_extension(?:\s+where\s+extname\s*=\s*'([^']+)')?(?:\s+order\s+by\s+\w+)?$/is;

/** Extensions of a database that no server has: made, dropped and listed. Anything else is refused, not pretended. */
function pretended(world: World, key: string, text: string): SqlTable {
  const statement = text.trim().replace(/;\s*$/, '');
  const row = databases(world).get(key) ?? {};
  const extensions: JsonObject = { plpgsql: '1.0', ...objectAt(row, 'extensions') };
  const keep = (message: string): SqlTable => {
    databases(world).set(key, { ...row, extensions });
    return { columns: [], rows: [], message };
  };
  const [create, ifNotExists, quoted, plain] = CREATE.exec(statement) ?? [];
  if (create !== undefined) {
    const name = quoted?.replaceAll('""', '"') ?? plain?.toLowerCase() ?? '';
    if (extensions[name] !== undefined) {
      if (ifNotExists !== undefined) return keep('CREATE EXTENSION');
      throw new SqlProblem(`extension "${name}" already exists`);
    }
    const version = EXTENSIONS[name];
    if (version === undefined) throw new SqlProblem(`extension "${name}" is not available`);
    extensions[name] = version;
    return keep('CREATE EXTENSION');
  }
  const [drop, ifExists, dropQuoted, dropPlain] = DROP.exec(statement) ?? [];
  if (drop !== undefined) {
    const name = dropQuoted ?? dropPlain ?? '';
    if (extensions[name] === undefined && ifExists === undefined)
      throw new SqlProblem(`extension "${name}" does not exist`);
    delete extensions[name];
    return keep('DROP EXTENSION');
  }
  const [select, what = '', only] = SELECT.exec(statement) ?? [];
  if (select !== undefined) return selected(extensions, what.toLowerCase(), only);
  if (/^select\s+1$/i.test(statement))
    return { columns: [{ name: '?column?', type: 'INT4' }], rows: [['1']], message: 'SELECT 1' };
  throw notModelled('statements but those of extensions; start it with a Postgres server (--postgres) to run them');
}

function selected(extensions: JsonObject, what: string, only: string | undefined): SqlTable {
  const found = Object.entries(extensions)
    .filter(([name]) => only === undefined || name === only)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (what === 'count(*)')
    return { columns: [{ name: 'count', type: 'INT8' }], rows: [[String(found.length)]], message: 'SELECT 1' };
  const columns = what === '1' ? ['?column?'] : what.split(/\s*,\s*/);
  const rows = found.map(([name, version]) =>
    columns.map((column) =>
      column === 'extname' ? name : column === 'extversion' ? (textAt({ version }, 'version') ?? '') : '1',
    ),
  );
  return { columns: columns.map((name) => ({ name, type: 'NAME' })), rows, message: `SELECT ${String(rows.length)}` };
}
