import { describe, expect, test } from 'vitest';
import { liveBlock } from '../../src/cli/screen/live-block.ts';
import { createStyle, showsUnicode } from '../../src/cli/screen/style.ts';
import { table } from '../../src/cli/screen/table.ts';
import { printable, truncate, widthOf, wrap, wrapLines } from '../../src/cli/screen/text.ts';

const plain = createStyle({ color: false, unicode: true });
const painted = createStyle({ color: true, unicode: true });

describe('text on a terminal', () => {
  test('colours take no room, and are closed where a text is cut', () => {
    const text = `${painted.red('broken')} and more`;
    expect(widthOf(text)).toBe(15);
    expect(truncate(text, 4)).toBe('\u001b[31mbro…\u001b[0m');
    expect(truncate(text, 15)).toBe(text);
  });

  test('wide characters take two cells', () => expect(widthOf('日本')).toBe(4));

  test('lines break at spaces, and a long word stays whole', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('https://example.com/long ok', 8)).toEqual(['https://example.com/long', 'ok']);
  });

  test('mistakes go on below their beginning, and a piece of source stays above its mark', () => {
    const mistake = 'a.yaml:1:1  unknown key of it\n  1 | comand: node main.js\n    | ^^^^^^';
    expect(wrapLines(mistake, 23).join('\n')).toBe(
      'a.yaml:1:1  unknown\n    key of it\n  1 | comand: node main.js\n    | ^^^^^^',
    );
  });

  test('what a program wrote cannot steer the terminal', () => {
    expect(printable('\u001b]0;owned\u0007\u001b[2Jhello\r\u0008\tyou')).toBe('hello    you');
  });

  test('without colours nothing is painted; without UTF-8 nothing but ASCII is used', () => {
    expect(plain.red('x')).toBe('x');
    expect(showsUnicode({ LANG: 'C' })).toBe(false);
    expect(showsUnicode({ LANG: 'de_DE.UTF-8' })).toBe(true);
    expect(showsUnicode({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' })).toBe(false);
    const { symbols } = createStyle({ color: true, unicode: false });
    expect(Object.values(symbols).flat().join('')).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('a table', () => {
  const columns = [
    { title: 'service' },
    { title: 'errors', align: 'right' as const },
    { title: 'note', leaveOut: 1 },
    { title: 'empty' },
  ];
  const rows = [
    ['api', '0.1 %', 'a longer note', ''],
    ['model', '12 %', '', ''],
  ];

  test('aligns its columns, and leaves out those without content', () => {
    expect(table(columns, rows, { style: plain, columns: Infinity })).toEqual([
      'service  errors  note',
      'api       0.1 %  a longer note',
      'model      12 %',
    ]);
  });

  test('cuts long names before it gives up what stands behind them', () => {
    const long = 'a-service-with-a-name-that-nobody-would-type-twice';
    const lines = table(
      [{ title: 'service' }, { title: 'health' }],
      [
        [long, 'down'],
        ['api', 'healthy'],
      ],
      {
        style: createStyle({ color: false, unicode: true }),
        columns: 40,
      },
    );
    expect(lines[1]).toMatch(/^a-service-with-a-name-.*\u2026 {2}down$/);
    expect(lines[2]).toMatch(/^api +healthy$/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  });

  test('gives up what matters least when the screen is narrow', () => {
    expect(table(columns, rows, { style: plain, columns: 20 })).toEqual([
      'service  errors',
      'api       0.1 %',
      'model      12 %',
    ]);
  });
});

/** What a terminal shows after these writes: enough of one for the sequences that are used. */
function screenAfter(writes: readonly string[]): string[] {
  const lines = [''];
  let row = 0;
  // oxlint-disable-next-line no-control-regex
  const SEQUENCE = /\u001b\[(\d+)A|\u001b\[([KJ])|(\u001b\[\?\d+[hl])|([^\u001b])/g;
  for (const [, up, clear, , text] of writes.join('').matchAll(SEQUENCE)) {
    if (up !== undefined) row -= Number(up);
    else if (clear === 'J') lines.splice(row, lines.length - row, '');
    else if (text === '\n') lines[++row] ??= '';
    else if (text === '\r') lines[row] = '';
    else if (text !== undefined) lines[row] += text;
  }
  return lines;
}

describe('a block that is redrawn in place', () => {
  test('shows the last lines only, however their number changes', () => {
    const writes: string[] = [];
    const block = liveBlock({ write: (text) => writes.push(text), columns: 80, rows: 24 });
    block.draw(['a', 'b', 'c']);
    block.draw(['a', 'x']);
    block.draw(['a', 'x', 'y', 'z']);
    block.end();
    expect(screenAfter(writes)).toEqual(['a', 'x', 'y', 'z', '']);
  });

  test('writes nothing when nothing changed, and only from the first change on', () => {
    const writes: string[] = [];
    const block = liveBlock({ write: (text) => writes.push(text), columns: 80, rows: 24 });
    block.draw(['same', 'one']);
    block.draw(['same', 'one']);
    expect(writes).toHaveLength(1);
    block.draw(['same', 'two']);
    expect(writes[1]).not.toContain('same');
  });

  test('hides the cursor while it lives and gives it back, once', () => {
    const writes: string[] = [];
    const block = liveBlock({ write: (text) => writes.push(text), columns: 80, rows: 24 });
    block.draw(['a']);
    block.end();
    block.end();
    expect(writes.join('').split('\u001b[?25l')).toHaveLength(2);
    expect(writes.join('').split('\u001b[?25h')).toHaveLength(2);
  });

  test('never draws more than the screen can take back', () => {
    const writes: string[] = [];
    const block = liveBlock({ write: (text) => writes.push(text), columns: 30, rows: 6 });
    block.draw(Array.from({ length: 20 }, (_, index) => `line ${index} ${'x'.repeat(80)}`));
    const lines = screenAfter(writes);
    expect(lines.slice(0, -1)).toHaveLength(5);
    expect(Math.max(...lines.map(widthOf))).toBeLessThan(30);
  });
});
