import { createHash } from 'node:crypto';
import { GoogleError } from '../core/google-error.ts';
import type { World } from '../core/world.ts';

/** What a statement gave. */
export interface SqlTable {
  columns: { name: string; type: string }[];
  /** Null is SQL's. */
  rows: (string | null)[][];
  message: string;
}

/** What Postgres itself refuses; told within a reply that is otherwise a success. */
export class SqlProblem extends Error {}

/** Databases and users on a real server; keys are `<project>/<instance>/<name>`. */
export interface SqlServer {
  createDatabase: (key: string) => Promise<void>;
  dropDatabase: (key: string) => Promise<void>;
  setUser: (key: string, password: string) => Promise<void>;
  dropUser: (key: string) => Promise<void>;
  run: (database: string, statement: string) => Promise<SqlTable>;
}

/** The server that stands behind all pretended instances, or null when none was given. */
export function serverOf(world: World): SqlServer | null {
  const { postgres } = world.options;
  return postgres === null ? null : behind(postgres);
}

/** What a database or user of an instance is called on the server, which all instances share: at most 63 characters. */
export function nameOnServer(key: string): string {
  const [project = '', instance = '', name = ''] = key.split('/');
  const mark = createHash('sha256').update(`${project}/${instance}`).digest('hex').slice(0, 8);
  return `emulated_${mark}_${name}`.slice(0, 63);
}

/** All users of an instance own all of its databases, as members of `cloudsqlsuperuser` nearly do. */
const groupOf = (key: string): string =>
  quoted(nameOnServer(`${key.split('/').slice(0, 2).join('/')}/cloudsqlsuperuser`));

function behind(url: string): SqlServer {
  const admin = (statement: string): Promise<SqlTable> => query(url, statement);
  return {
    createDatabase: async (key) => {
      const group = groupOf(key);
      await unless('42710', admin(`create role ${group}`));
      await unless('42P04', admin(`create database ${quoted(nameOnServer(key))} owner ${group}`));
    },
    dropDatabase: async (key) => {
      await admin(`drop database if exists ${quoted(nameOnServer(key))} with (force)`);
    },
    setUser: async (key, password) => {
      const role = quoted(nameOnServer(key));
      await unless('42710', admin(`create role ${groupOf(key)}`));
      await unless('42710', admin(`create role ${role} login in role ${groupOf(key)}`));
      await admin(`alter role ${role} password '${password.replaceAll("'", "''")}'`);
    },
    dropUser: async (key) => {
      await admin(`drop role if exists ${quoted(nameOnServer(key))}`);
    },
    run: (database, statement) => {
      const target = new URL(url);
      target.pathname = `/${nameOnServer(database)}`;
      return query(target.href, statement);
    },
  };
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What is there already is as good. */
async function unless(code: string, work: Promise<SqlTable>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof SqlProblem) || !error.message.endsWith(`(${code})`)) throw error;
  }
}

/** Values as the server writes them. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

async function query(url: string, statement: string): Promise<SqlTable> {
  const { Client } = await import('pg').then((module) => module.default);
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const result = await client.query<(string | null)[]>({ text: statement, rowMode: 'array', types: AS_TEXT });
    return {
      columns: result.fields.map(({ name, dataTypeID }) => ({ name, type: String(dataTypeID) })),
      rows: result.rows,
      message: `${result.command} ${String(result.rowCount ?? '')}`.trim(),
    };
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (/^[0-9A-Z]{5}$/.test(code)) throw new SqlProblem(`${(error as Error).message} (${code})`);
    const why = error instanceof Error ? error.message : '';
    throw new GoogleError('UNAVAILABLE', `The Postgres server behind the emulator does not answer: ${why}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}
