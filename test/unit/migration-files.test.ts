import { describe, expect, test } from 'vitest';
import { broughtFiles, isMigration, isSearched, type TreeFile } from '../../src/domain/migration/files.ts';
import { formsOf, linesNaming } from '../../src/domain/migration/names.ts';

const file = (path: string, sha = path): TreeFile => ({ path, size: 10, sha });
const here = { dir: '.' };

describe('migrations are found where tools keep them', () => {
  test.each([
    'prisma/migrations/20260101_a/migration.sql',
    'migrations/20260101_a.js',
    'drizzle/0001_a.sql',
    'src/main/resources/db/migration/V2__a.sql',
    'db/migrate/20260101_a.rb',
    'shop/migrations/0002_a.py',
    'alembic/versions/ab12_a.py',
    'supabase/migrations/1_a.sql',
  ])('%s', (path) => expect(isMigration(path, undefined, '.')).toBe(true));

  test.each([
    'src/main.ts',
    'db/schema.sql',
    'node_modules/tool/migrations/1.sql',
    'test/migrations/1.sql',
    'emigrations/1.sql',
  ])('and not %s', (path) => expect(isMigration(path, undefined, '.')).toBe(false));

  test('or where the file says, relative to the folder of the service', () => {
    const config = { folders: ['changes'], breaking: 'refuse' as const };
    expect(isMigration('api/changes/1.sql', config, 'api')).toBe(true);
    expect(isMigration('changes/1.sql', config, 'api')).toBe(false);
    expect(isMigration('api/migrations/1.sql', config, 'api')).toBe(false);
  });
});

describe('what a deploy brings', () => {
  test('is what the running release does not have', () => {
    const before = [file('migrations/1.sql'), file('migrations/2.sql')];
    const after = [...before, file('migrations/3.sql'), file('migrations/4.js'), file('src/main.js')];
    expect(broughtFiles(before, after, here)).toEqual({
      sql: [file('migrations/3.sql')],
      programs: [file('migrations/4.js')],
      changed: [],
    });
  });

  test('names what was changed afterwards', () => {
    const { sql, changed } = broughtFiles([file('migrations/1.sql', 'a')], [file('migrations/1.sql', 'b')], here);
    expect({ sql, changed }).toEqual({ sql: [], changed: [file('migrations/1.sql', 'b')] });
  });

  test('is no way down, no copy, and nothing that only moved', () => {
    const before = [file('old/migrations/1.sql', 'one')];
    const after = [
      file('new/migrations/1.sql', 'one'),
      file('migrations/2.up.sql'),
      file('migrations/2.down.sql'),
      file('migrations/20_a/down.sql'),
      file('migrations/U3__undo.sql'),
      file('a/migrations/4.sql', 'four'),
      file('dist/migrations/4.sql', 'four'),
    ];
    expect(broughtFiles(before, after, here).sql.map(({ path }) => path)).toEqual([
      'a/migrations/4.sql',
      'migrations/2.up.sql',
    ]);
  });

  test('tells the files of Prisma apart, which all have one name', () => {
    const before = [file('prisma/migrations/1/migration.sql', 'same')];
    const after = [...before, file('prisma/migrations/2/migration.sql', 'same')];
    expect(broughtFiles(before, after, here).sql).toHaveLength(1);
  });

  test('leaves those of its neighbours alone', () => {
    const after = [file('api/migrations/1.sql'), file('billing/migrations/1.sql')];
    expect(broughtFiles([], after, { dir: 'api' }).sql.map(({ path }) => path)).toEqual(['api/migrations/1.sql']);
    expect(broughtFiles([], after, { dir: 'web' }).sql).toHaveLength(2);
  });
});

describe('names are looked for', () => {
  test('in the forms in which programs write them', () => {
    expect(formsOf('order_items')).toEqual(['order_items', 'orderItems', 'OrderItems', 'OrderItem', 'orderItem']);
    expect(formsOf('categories')).toContain('Category');
    expect(formsOf('id')).toEqual([]);
  });

  test('as whole words, with their lines', () => {
    const source = 'const a = 1;\nselect full_name, full_names;\n\n  user.fullName\n';
    expect([...linesNaming(source, new Set(formsOf('full_name')))]).toEqual([
      { word: 'full_name', line: 2, text: 'select full_name, full_names;' },
      { word: 'fullName', line: 4, text: 'user.fullName' },
    ]);
  });

  test.each([
    ['src/main.js', true],
    ['prisma/schema.prisma', true],
    ['README.md', false],
    ['migrations/1.sql', false],
    ['db/structure.sql', false],
    ['node_modules/pg/index.js', false],
    ['package-lock.json', false],
    ['dist/app.min.js', false],
  ])('in %s: %s', (path, searched) => expect(isSearched(path, undefined, '.')).toBe(searched));
});
