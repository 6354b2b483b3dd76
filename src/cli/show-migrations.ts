import type { MigrationReportView } from '../api/contract/migrations.ts';
import type { Output } from './output.ts';
import { wrap } from './screen/text.ts';

type Finding = MigrationReportView['findings'][number];

/** What was found in new migrations, one finding after the other, and what cannot be seen at all. */
export function migrationLines(
  reports: readonly MigrationReportView[],
  { style, columns }: Pick<Output, 'style' | 'columns'>,
): string[] {
  const width = Math.min(columns(), 100);
  return reports.flatMap(({ service, running, files, findings }) => {
    if (findings.length === 0 && files.added === 0) return [];
    const read = files.read === files.added ? '' : `, ${files.read} of them read as SQL`;
    const head = `${service}: ${files.added} new ${files.added === 1 ? 'migration' : 'migrations'} since ${running}${read}`;
    const told = findings.length === 0 ? `${head}; nothing that ${running} may miss was found` : head;
    return [
      ...wrap(told, width),
      ...findings.flatMap((finding) => findingLines(finding, width, style)),
      ...wrap(
        style.dim('  SQL is read as Postgres speaks it; what programs, DO blocks and functions do is not seen.'),
        width,
      ),
    ];
  });
}

function findingLines(finding: Finding, width: number, style: Output['style']): string[] {
  const { severity, file, line, what, why, next, statement, uses } = finding;
  const mark = severity === 'breaking' ? style.red(style.symbols.failed) : style.yellow('!');
  const place = line === 0 ? file : `${file}:${line}`;
  const inner = (text: string): string[] => wrap(text, width - 4).map((each) => `    ${each}`);
  return [
    ...wrap(`${mark} ${place === '' ? '' : `${place} `}${what}`, width - 2).map(
      (each, index) => `${index === 0 ? '  ' : '    '}${each}`,
    ),
    ...(statement === '' ? [] : inner(statement).map(style.dim)),
    ...inner(why),
    ...uses.flatMap((use) => inner(`named in ${use.file}:${use.line}: ${use.text}`)),
    ...inner(`next: ${next}`).map(style.dim),
  ];
}
