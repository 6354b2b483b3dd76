import { stripVTControlCharacters } from 'node:util';

/** One cell of a terminal's line; what follows it may not begin in the middle of a mark. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]/u;
const MARKS = /^(?:\p{Mn}|\p{Me}|\u200b|\u200c|\u200d)$/u;
// oxlint-disable-next-line no-control-regex
const ESCAPE = /^\u001b\[[0-9;]*m/;

const cellsOf = (char: string): number => (MARKS.test(char) ? 0 : WIDE.test(char) ? 2 : 1);

/** Cells that this text takes on a terminal; colours take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += cellsOf(char);
  return width;
}

/** Cuts to so many cells, with an ellipsis; colours stay and are closed. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cells = 0;
  let cut = '';
  let rest = text;
  let painted = false;
  while (rest !== '') {
    const escape = ESCAPE.exec(rest)?.[0];
    if (escape !== undefined) {
      cut += escape;
      rest = rest.slice(escape.length);
      painted = true;
      continue;
    }
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    if (cells + cellsOf(char) > width - 1) break;
    cells += cellsOf(char);
    cut += char;
    rest = rest.slice(char.length);
  }
  return `${cut}…${painted ? '\u001b[0m' : ''}`;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** Lines of at most `width` cells, broken at spaces; a word that is longer stays whole, as do blanks at the beginning. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    const indent = /^ */.exec(paragraph)?.[0] ?? '';
    const [first = '', ...words] = paragraph.slice(indent.length).split(' ');
    let line = indent + first;
    for (const word of words) {
      if (line.trim() !== '' && widthOf(line) + 1 + widthOf(word) > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

/**
 * The same for a text that has lines of its own, such as the mistakes of a file: what goes on in a next line is
 * indented below its beginning, and a piece of source stays as it is, since the mark below it must meet it.
 */
export function wrapLines(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    if (widthOf(line) <= width || /^\s*\d* \| /.test(line)) return [line];
    const indent = `${/^ */.exec(line)?.[0] ?? ''}    `;
    const [first = '', ...rest] = wrap(line.trimStart(), width - indent.length);
    return [`${indent.slice(4)}${first}`, ...rest.map((each) => `${indent}${each}`)];
  });
}

/** What other programs wrote must not steer the terminal: no escapes, no control characters, tabs as spaces. */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\t', '    ')
    .replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '');
}

/** A message with its full stop. Its beginning stays as it is: it may be the name of a service. */
export const stopped = (text: string): string => (/[.!?:]$/.test(text) ? text : `${text}.`);
