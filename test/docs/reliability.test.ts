import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

/** `docs/reliability.md` says which test holds which rule. A test that is renamed or removed must not be promised on. */

const root = join(import.meta.dirname, '../..');
const files = globSync('test/**/*.ts', { cwd: root })
  .filter((file) => !file.startsWith('test/docs/'))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8');
/** Rule, property, simulation, real processes. */
const rows = text
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );

/** Where a name must stand: as a whole string, or as the beginning of a longer title; `…` leaves words out. */
function isNamed(name: string, within: readonly { text: string }[]): boolean {
  const [first = '', ...rest] = name.split('…').map((part) => part.trim());
  return within.some(
    (each) =>
      ["'", '"', '`', ' '].some((before) => each.text.includes(before + first)) &&
      rest.every((part) => each.text.includes(part)),
  );
}

test('every rule has a property, a check of the simulation and real processes that hold it', () => {
  expect(rows.map(([rule]) => rule?.split('.')[0])).toEqual([
    '1',
    '2',
    '2b',
    '2c',
    '3',
    '4',
    '5',
    '6',
    '7',
    '8',
    '8b',
    '9',
    '10',
    '11',
    '12',
  ]);
  for (const [rule, ...cells] of rows)
    expect({ rule, named: cells.map((cell) => /"[^"]+"/.test(cell)) }).toEqual({ rule, named: [true, true, true] });
});

test.each(['property', 'simulation', 'real processes'])('every test that is named under %s is there', (column) => {
  const at = ['property', 'simulation', 'real processes'].indexOf(column) + 1;
  const within = column === 'simulation' ? files.filter(({ file }) => file.includes('simulation')) : files;
  const missing = rows.flatMap((cells) =>
    [...(cells[at] ?? '').matchAll(/"([^"]+)"/g)].flatMap(([, name = '']) => (isNamed(name, within) ? [] : [name])),
  );
  expect(missing).toEqual([]);
});

test('every file of tests that is named is there', () => {
  const there = new Set(files.map(({ file }) => basename(file).replace(/\.test\.ts$/, '')));
  const folders = new Set(globSync('test/*', { cwd: root }));
  const named = rows.flatMap((cells) => [...cells.join(' ').matchAll(/`([^`$ ]+)`/g)].map(([, name = '']) => name));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !folders.has(name) && !there.has(basename(name)))).toEqual([]);
});
