import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machineText, type Machine } from './machine.ts';
import type { Row } from './row.ts';
import { markdownTable, measuredText } from './table.ts';

const BEGIN = '<!-- bench: this block is written from a run of `npm run bench`; nothing in it is typed by hand -->';
const END = '<!-- /bench -->';

/** Puts the figures into the documents, between their markers. Answers the names of the files that it changed. */
export function writeDocuments(rows: readonly Row[], where: Machine): string[] {
  const measuredOn = `Measured on ${machineText(where)}.`;
  const short = [
    '| what | budget | measured |',
    '|---|---|---|',
    ...rows.map(
      (row) => `| ${row.what} | ${row.budget} | ${measuredText(row)}${row.ok === false ? ' (missed)' : ''} |`,
    ),
  ].join('\n');
  return [
    ...put(
      'README.md',
      `${short}\n\n${measuredOn} What is measured and how: [docs/performance.md](docs/performance.md).`,
    ),
    ...put('docs/performance.md', `${measuredOn}\n\n${markdownTable(rows)}`),
  ];
}

function put(name: string, block: string): string[] {
  const file = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${name} has no place for the figures: ${BEGIN} … ${END}`);
  writeFileSync(file, `${text.slice(0, begin)}${BEGIN}\n${block}\n${text.slice(end)}`);
  return [name];
}
