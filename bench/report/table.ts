import { rounded, thousands } from './figures.ts';
import type { Row } from './row.ts';

export const measuredText = ({ measured, unit }: Row): string =>
  measured === null ? 'not here' : `${thousands(rounded(measured))}${unit === '' || unit === 'x' ? unit : ` ${unit}`}`;

const mark = ({ ok }: Row): string => (ok === null ? '-' : ok ? '✓' : '✗');

/** For people: aligned, with what is behind each figure on the lines below it. */
export function humanTable(rows: readonly Row[], columns: number): string {
  const width = (cells: readonly string[]) => Math.max(...cells.map((each) => each.length));
  const what = width(['what', ...rows.map((row) => row.what)]);
  const measured = width(['measured', ...rows.map(measuredText)]);
  const lines = [`  ${'what'.padEnd(what)}  ${'measured'.padStart(measured)}  budget`];
  for (const row of rows) {
    lines.push(`${mark(row)} ${row.what.padEnd(what)}  ${measuredText(row).padStart(measured)}  ${row.budget}`);
    const said = [row.detail, peersText(row)].filter((each) => each !== '').join('; ');
    for (const line of wrap(said, Math.max(40, columns - 4))) lines.push(`    ${line}`);
  }
  return lines.join('\n');
}

/** For documents. */
export function markdownTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const said = [row.detail, peersText(row)].filter((each) => each !== '').join('; ');
    const met = row.ok === null ? '' : row.ok ? 'yes' : '**no**';
    return `| ${[row.what, row.budget, measuredText(row), met, said].map(cell).join(' | ')} |`;
  });
  return ['| what | budget | measured | met | how it came out |', '|---|---|---|---|---|', ...lines].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function peersText({ peers = {} }: Row): string {
  return Object.entries(peers)
    .map(([name, value]) => `${name} ${thousands(rounded(value))}`)
    .join(', ');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
