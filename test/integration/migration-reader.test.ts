import { randomBytes } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sqlReader } from '../../src/drivers/migrations/sql-reader.ts';
import type { PlacedFile } from '../../src/ports/migrations.ts';
import { tempDir } from '../support/temp.ts';

const folder = tempDir('sql');
let files = 0;

function placed(content: string | Buffer, path = `${++files}.sql`): PlacedFile {
  const absolute = join(folder, path);
  writeFileSync(absolute, content);
  return { path, absolute, size: statSync(absolute).size };
}

const DROP = "SET lock_timeout = '1s'; ALTER TABLE users DROP COLUMN full_name;";
const shown = ({ findings }: { findings: { severity: string; code: string; file: string }[] }): string[] =>
  findings.map(({ severity, code, file }) => `${severity} ${code} ${file}`);

describe('new SQL is read in a thread of its own', () => {
  test('and what it takes away is looked for in the sources of the running release', async () => {
    const drop = placed(DROP);
    const program = placed("db.query('select full_name');\nuser.fullName;", 'main.js');
    const { findings, read } = await sqlReader().examine([drop], [program]);
    expect(read).toBe(1);
    expect(findings).toMatchObject([
      {
        code: 'drop-column',
        severity: 'breaking',
        file: drop.path,
        line: 1,
        statement: 'ALTER TABLE users DROP COLUMN full_name',
        uses: [
          { file: 'main.js', line: 1 },
          { file: 'main.js', line: 2 },
        ],
      },
    ]);
    expect(shown(await sqlReader().examine([drop], []))).toEqual([`warning drop-column ${drop.path}`]);
  });

  test('and shows no password', async () => {
    const file = placed("ALTER USER app WITH 'hunter22'; ALTER ROLE app PASSWORD 'hunter22' NONSENSE;");
    const { findings } = await sqlReader().examine([file], []);
    expect(findings).toHaveLength(2);
    expect(JSON.stringify(findings)).not.toContain('hunter22');
  });

  test('and is not read when there is too much of it, which is said', async () => {
    const [one, two, three] = [placed(DROP), placed(DROP), placed(`${DROP}${' '.repeat(2000)}`)];
    const reader = sqlReader({ sqlFiles: 1, sqlBytes: 1000 });
    const result = await reader.examine([one, two, three], []);
    expect(shown(result)).toEqual([
      `warning drop-column ${one.path}`,
      `warning unread-file ${two.path}`,
      `warning unread-file ${three.path}`,
    ]);
    expect(result.read).toBe(1);
  });

  test('and is given up when it takes too long; what was read until then counts, and a search that was not made, too', async () => {
    const quick = placed(DROP);
    const slow = Array.from({ length: 6 }, () => placed(`SELECT ${'1,'.repeat(400_000)}1;`));
    const result = await sqlReader({ readMs: 1_500 }).examine([quick, ...slow], []);
    expect(result.findings).toContainEqual(
      expect.objectContaining({ file: slow.at(-1)?.path, what: 'it took longer than 1.5 s to read' }),
    );
    // The thread may not even have begun on a machine that is busy.
    if (result.read > 0) expect(shown(result)[0]).toBe(`breaking drop-column ${quick.path}`);
  });

  test('whatever a file holds', async () => {
    const hostile = [
      placed(randomBytes(50_000)),
      placed(`SELECT ${'('.repeat(100_000)}1${')'.repeat(100_000)};`),
      placed(`DO $$ ${'x;'.repeat(50_000)}`),
      placed('\0\0\0;DROP TABLE a\0b;'),
      placed(';'.repeat(100_000)),
      placed('/*'.repeat(100_000)),
      { path: 'gone.sql', absolute: join(folder, 'gone.sql'), size: 10 },
      { path: 'folder.sql', absolute: folder, size: 10 },
    ];
    const last = placed(DROP);
    const { findings } = await sqlReader().examine([...hostile, last], []);
    expect(findings.filter(({ code }) => code === 'unread-file').map(({ file }) => file)).toEqual([
      'gone.sql',
      'folder.sql',
    ]);
    expect(findings).toContainEqual(expect.objectContaining({ code: 'drop-column', file: last.path }));
  });

  test('and a source that could not be searched counts as naming everything', async () => {
    const drop = placed(DROP);
    const gone = { path: 'gone.js', absolute: join(folder, 'gone.js'), size: 10 };
    const large = placed(' '.repeat(3000), 'large.js');
    for (const source of [gone, large])
      expect(shown(await sqlReader({ sourceBytes: 2000 }).examine([drop], [source]))).toEqual([
        `breaking drop-column ${drop.path}`,
      ]);
  });
});
