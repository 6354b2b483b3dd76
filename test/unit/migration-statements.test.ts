import { loadModule, parseSync } from 'libpg-query';
import { beforeAll, describe, expect, test } from 'vitest';
import { factsOf, type StatementFacts } from '../../src/domain/migration/effects.ts';
import { decideMigrations, judgeFiles, judgeOthers, type ReadStatement } from '../../src/domain/migration/judge.ts';

beforeAll(async () => {
  await loadModule();
});

const facts = (sql: string): StatementFacts[] =>
  (parseSync(sql) as { stmts: { stmt: unknown }[] }).stmts.map(({ stmt }) => factsOf(stmt));
const codes = (sql: string): string[] => facts(sql).flatMap(({ effects }) => effects.map(({ code }) => code));

/** As files, each of whose statements is a line of its own. */
const judged = (sqls: string[], named: string[] = []) =>
  judgeFiles(
    sqls.map((sql, index) => ({
      path: `${index + 1}.sql`,
      unread: null,
      statements: sql
        .split('\n')
        .flatMap((line, at): ReadStatement[] =>
          line.trim() === ''
            ? []
            : facts(line).map((each) => ({ line: at + 1, excerpt: line, facts: each, problem: null })),
        ),
    })),
    (names) => names.filter((name) => named.includes(name)).map((name) => ({ file: 'main.js', line: 1, text: name })),
  );
const shown = (sqls: string[], named: string[] = []): string[] =>
  judged(sqls, named).map(({ severity, code, file, line }) => `${severity} ${code} ${file}:${line}`);

describe('a statement', () => {
  test.each([
    ['DROP TABLE a.users, b', 'drop-table,drop-table'],
    ['DROP VIEW v', 'drop-view'],
    ['DROP MATERIALIZED VIEW v', 'drop-view'],
    ['DROP TYPE mood', 'drop-type'],
    ['DROP DOMAIN d', 'drop-type'],
    ['DROP FUNCTION f(int)', 'drop-function'],
    ['DROP SEQUENCE s', 'drop-sequence'],
    ['DROP SCHEMA s CASCADE', 'drop-schema'],
    ['DROP INDEX i', 'drop-index'],
    ['DROP INDEX CONCURRENTLY i', ''],
    ['DROP TRIGGER t ON users', ''],
    ['TRUNCATE users', 'truncate'],
    ['ALTER TABLE users DROP COLUMN name', 'drop-column'],
    ['ALTER TABLE users RENAME COLUMN a TO b', 'rename'],
    ['ALTER TABLE users RENAME TO people', 'rename'],
    ['ALTER VIEW v RENAME TO w', 'rename'],
    ['ALTER TYPE mood RENAME TO m', 'rename'],
    ['ALTER SCHEMA s RENAME TO t', 'rename'],
    ['ALTER INDEX i RENAME TO j', ''],
    ['ALTER TABLE users RENAME CONSTRAINT a TO b', ''],
    ['ALTER TABLE users SET SCHEMA old', 'move-schema'],
    ["ALTER TYPE mood RENAME VALUE 'a' TO 'b'", 'rename-enum-value'],
    ["ALTER TYPE mood ADD VALUE 'c'", 'add-enum-value'],
    ['ALTER TABLE users ALTER a TYPE bigint', 'change-type'],
    ['ALTER TABLE users ALTER a SET NOT NULL', 'set-not-null'],
    ['ALTER TABLE users ALTER a DROP NOT NULL', ''],
    ['ALTER TABLE users ALTER a DROP DEFAULT', 'drop-default'],
    ['ALTER TABLE users ALTER a SET DEFAULT 1', ''],
    ['ALTER TABLE users ADD COLUMN a int', ''],
    ['ALTER TABLE users ADD COLUMN a int NOT NULL', 'add-column-not-null'],
    ['ALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT NULL', 'add-column-not-null'],
    ['ALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT 0', ''],
    ['ALTER TABLE users ADD COLUMN a timestamptz NOT NULL DEFAULT now()', ''],
    ['ALTER TABLE users ADD COLUMN a uuid DEFAULT gen_random_uuid()', 'rewrite'],
    ['ALTER TABLE users ADD COLUMN a serial', 'rewrite'],
    ['ALTER TABLE users ADD COLUMN a int GENERATED ALWAYS AS (b + 1) STORED', 'rewrite'],
    ['ALTER TABLE users ADD COLUMN a int UNIQUE', ''],
    ['ALTER TABLE users ADD COLUMN a int DEFAULT 1 UNIQUE', 'add-unique'],
    ['ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0)', 'add-check'],
    ['ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0) NOT VALID', 'add-not-valid'],
    ['ALTER TABLE users ADD CONSTRAINT c NOT NULL a', 'set-not-null'],
    ['ALTER TABLE users ADD UNIQUE (a)', 'add-unique'],
    ['ALTER TABLE users ADD PRIMARY KEY (a)', 'add-unique'],
    ['ALTER TABLE users ADD FOREIGN KEY (a) REFERENCES b', 'add-foreign-key'],
    ['ALTER TABLE users ADD FOREIGN KEY (a) REFERENCES b NOT VALID', 'add-not-valid'],
    ['ALTER TABLE users VALIDATE CONSTRAINT c', ''],
    ['ALTER TABLE users DROP CONSTRAINT c', 'drop-constraint'],
    ['ALTER TABLE users ENABLE ROW LEVEL SECURITY', 'row-security'],
    ['ALTER TABLE p DETACH PARTITION p1', 'drop-partition'],
    ['CREATE INDEX i ON users (a)', 'index'],
    ['CREATE INDEX CONCURRENTLY i ON users (a)', ''],
    ['CREATE UNIQUE INDEX CONCURRENTLY i ON users (a)', 'add-unique'],
    ['CREATE TABLE t (a int)', ''],
    ['CREATE VIEW v AS SELECT 1', ''],
    ['CREATE OR REPLACE VIEW v AS SELECT 1', 'replace'],
    ['DO $$ BEGIN DROP TABLE users; END $$', 'unread-block'],
    ['REVOKE SELECT ON users FROM app', 'revoke'],
    ['GRANT SELECT ON users TO app', ''],
    ['UPDATE users SET a = 1', 'whole-table'],
    ['UPDATE users SET a = 1 WHERE id < 100', ''],
    ['DELETE FROM users', 'whole-table'],
    ['VACUUM FULL users', 'heavy-lock'],
    ['VACUUM users', ''],
    ['REINDEX TABLE CONCURRENTLY users', ''],
    ['LOCK TABLE users', 'heavy-lock'],
    ['SELECT 1', ''],
  ])('%s: %s', (sql, expected) => expect(codes(sql).join(',')).toBe(expected));

  test('of no known shape does nothing, whatever it looks like', () => {
    for (const strange of [null, 1, [], {}, { DropStmt: null }, { AlterTableStmt: { cmds: [null, {}] } }, { X: {} }])
      expect(factsOf(strange).effects).toEqual([]);
  });
});

describe('findings', () => {
  test('are breaking where the running release names what goes, and else a hint', () => {
    expect(shown(["SET lock_timeout = '5s';\nALTER TABLE users DROP COLUMN name"], ['name'])).toEqual([
      'breaking drop-column 1.sql:2',
    ]);
    const [hint] = judged(["SET lock_timeout = '5s';\nALTER TABLE users DROP COLUMN name"]);
    expect(hint).toMatchObject({ severity: 'warning', uses: [], why: expect.stringContaining('a hint and no proof') });
  });

  test('count a name that cannot be looked for as named', () => {
    expect(shown(["SET lock_timeout = '5s'; ALTER TABLE users DROP COLUMN id"])).toEqual([
      'breaking drop-column 1.sql:1',
    ]);
    const unsearched = judgeFiles(
      [
        {
          path: '1.sql',
          unread: null,
          statements: [{ line: 1, excerpt: '', problem: null, facts: facts('DROP TABLE users')[0] ?? null }],
        },
      ],
      () => null,
    );
    expect(unsearched[0]).toMatchObject({ code: 'drop-table', severity: 'breaking' });
  });

  test('are breaking for what tightens, named or not', () => {
    expect(shown(["SET lock_timeout = '5s'; ALTER TABLE users ADD COLUMN city text NOT NULL"])).toEqual([
      'breaking add-column-not-null 1.sql:1',
    ]);
  });

  test('leave tables alone that are new themselves', () => {
    const sql = 'CREATE TABLE fresh (a int);\nCREATE INDEX i ON fresh (a);\nALTER TABLE fresh DROP COLUMN a;';
    expect(shown([sql, 'ALTER TABLE fresh ADD COLUMN b int NOT NULL'])).toEqual([]);
  });

  test('ask for a lock_timeout once in a file, and for none where there is one', () => {
    const sql = 'ALTER TABLE users ADD COLUMN a int;\nALTER TABLE users ADD COLUMN b int';
    expect(shown([sql])).toEqual(['warning no-lock-timeout 1.sql:1']);
    for (const limit of ["SET LOCAL lock_timeout = '1s';", "SELECT set_config('lock_timeout', '1s', true);"])
      expect(shown([`${limit}\n${sql}`])).toEqual([]);
  });

  test('say that CONCURRENTLY fails in a transaction', () => {
    const index = 'CREATE INDEX CONCURRENTLY i ON users (a);';
    expect(shown([`BEGIN;\n${index}\nCOMMIT;`])).toEqual(['warning concurrently-in-transaction 1.sql:2']);
    expect(shown([`BEGIN;\nCOMMIT;\n${index}`])).toEqual([]);
  });

  test('say what was not read, and not for every line', () => {
    const statements = Array.from({ length: 9 }, (_, line): ReadStatement => ({
      line,
      excerpt: 'x',
      facts: null,
      problem: 'what?',
    }));
    const found = judgeFiles([{ path: '1.sql', unread: 'it is larger than it ought to be', statements }], () => []);
    expect(found.map(({ code, what }) => `${code}: ${what}`)).toEqual([
      'unread-statement: a statement: what?',
      'unread-statement: a statement: what?',
      'unread-statement: a statement: what?',
      'unread-statement: 6 more statements',
      'unread-file: it is larger than it ought to be',
    ]);
  });

  test('name programs, and files that were changed afterwards', () => {
    const programs = ['1.js', '2.js', '3.js', '4.js'].map((name) => ({ path: `migrations/${name}` }));
    expect(
      judgeOthers({ programs, changed: [{ path: 'migrations/0.sql' }] }).map(({ code, what }) => `${code}: ${what}`),
    ).toEqual([
      'unread-code: 4 new programs: 1.js, 2.js, 3.js and 1 more',
      'changed-file: a file of the running release was changed',
    ]);
  });
});

describe('a deploy', () => {
  const report = (breaking: 'refuse' | 'warn' | 'off', sql: string) => ({
    service: 'api',
    running: 'api@1',
    files: { added: 1, read: 1 },
    breaking,
    findings: judged([sql]),
  });
  const bad = 'ALTER TABLE users ADD COLUMN city text NOT NULL';

  test('is refused for what breaks, unless the file or a person says otherwise', () => {
    expect(decideMigrations([report('refuse', bad)], false)).toEqual({
      verdict: 'refuse',
      reason: 'the new migrations may break api@1 (api)',
    });
    expect(decideMigrations([report('refuse', bad)], true)).toMatchObject({
      verdict: 'warn',
      reason: expect.stringContaining('allowed by hand'),
    });
    expect(decideMigrations([report('warn', bad)], false).verdict).toBe('warn');
    expect(decideMigrations([report('off', bad)], false).verdict).toBe('clear');
  });

  test('is not refused for warnings', () => {
    expect(decideMigrations([report('refuse', 'CREATE INDEX i ON users (a)')], false).verdict).toBe('warn');
    expect(decideMigrations([], false).verdict).toBe('clear');
  });
});
