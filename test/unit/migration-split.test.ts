import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitStatements } from '../../src/domain/migration/split.ts';
import { upPart } from '../../src/domain/migration/up-part.ts';

const texts = (sql: string): string[] => splitStatements(sql).statements.map(({ text }) => text);

describe('statements are cut', () => {
  const cases: [name: string, sql: string, expected: string[]][] = [
    ['at semicolons', 'select 1; select 2;', ['select 1', 'select 2']],
    ['with the last one open', 'select 1;\nselect 2', ['select 1', 'select 2']],
    ['not in quotes', `select 'a;b', "c;d", 'it''s;';select 2`, [`select 'a;b', "c;d", 'it''s;'`, 'select 2']],
    ['not behind an escaped quote', `select E'\\';', 1; select 2`, [`select E'\\';', 1`, 'select 2']],
    ['where a backslash is none', `select '\\'; select 2`, [`select '\\'`, 'select 2']],
    ['not in line comments', 'select 1 -- a;b\n, 2; -- c;\n-- d;', ['select 1 -- a;b\n, 2']],
    [
      'not in comments, which nest',
      'select /* a; /* b; */ c; */ 1; select 2',
      ['select /* a; /* b; */ c; */ 1', 'select 2'],
    ],
    ['not in dollar quotes', 'do $$ begin; end; $$; do $a$ $$; $a$', ['do $$ begin; end; $$', 'do $a$ $$; $a$']],
    ['not at parameters', 'prepare p as select $1; select 2', ['prepare p as select $1', 'select 2']],
    [
      'not within BEGIN ATOMIC',
      'create function f() returns int begin atomic select 1; select 2; end; select 3',
      ['create function f() returns int begin atomic select 1; select 2; end', 'select 3'],
    ],
    [
      'without the data of COPY',
      'copy t (a) from stdin;\n1;drop table x\n\\.\nselect 2',
      ['copy t (a) from stdin', 'select 2'],
    ],
    ['and an open quote ends with the file', "select 'a; select 2", ["select 'a; select 2"]],
    ['and nothing is nothing', ' ;; \n-- only this\n', []],
  ];
  test.each(cases)('%s', (_, sql, expected) => expect(texts(sql)).toEqual(expected));

  test('with the line of their first word', () => {
    const { statements, commands } = splitStatements('-- one\n\nselect\n1;\n\\i other.sql\nselect 2;');
    expect(statements.map(({ line }) => line)).toEqual([3, 6]);
    expect(commands).toEqual([{ text: '\\i other.sql', line: 5 }]);
  });

  test('whatever they hold, and none is lost', () => {
    const piece = fc.constantFrom(
      'select 1',
      `select ';'`,
      `select "a;""b"`,
      'do $x$ ; $x$',
      'select /* ; */ 2',
      'select 3 -- ;\n',
      `select E'\\';'`,
      `select 'ä;ö'`,
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
        expect(texts(pieces.join(';')).map((each) => each.trim())).toEqual(
          pieces.map((each) => each.replace(/\s*-- ;\n$/, ' -- ;').trim()),
        );
      }),
    );
  });

  test('in one pass: a pass for every mark would take hours', { timeout: 120_000 }, () => {
    for (const hostile of ["'", '/*', '$$', '$a$', '"', ';', '\\', 'begin atomic ', 'copy a from ', '-- \n', ' '])
      splitStatements(hostile.repeat(500_000 / hostile.length));
  });
});

describe('the way down is left out', () => {
  const cases: [tool: string, sql: string][] = [
    ['dbmate', '-- migrate:up\nup;\n-- migrate:down\ndown;\n'],
    ['goose', '-- +goose Up\nup;\n-- +goose Down\ndown;\n'],
    ['node-pg-migrate', '-- Up Migration\nup;\n-- Down Migration\ndown;\n'],
    ['sql-migrate', '-- +migrate Up\nup;\n-- +migrate Down\ndown;\n'],
    ['down first', '-- migrate:down\ndown;\n-- migrate:up\nup;\n'],
    ['none', 'up;\n-- nothing goes down here\n'],
  ];
  test.each(cases)('%s', (_, sql) => {
    expect(texts(upPart(sql))).toEqual(['up']);
    // Lines stay where they are.
    expect(upPart(sql).split('\n')).toHaveLength(sql.split('\n').length);
  });
});
