import { GROUPS } from './registry.ts';
import type { Style } from './screen/style.ts';

/** What `evenkeel` alone says. */
export async function overview(style: Style, version: string): Promise<string[]> {
  const groups = await Promise.all(
    GROUPS.map(async ({ title, verbs }) => ({
      title,
      specs: await Promise.all(Object.values(verbs).map((load) => load())),
    })),
  );
  const width = Math.max(...groups.flatMap(({ specs }) => specs.map(({ name }) => name.length)));
  return [
    `${style.bold('evenkeel')} ${version} ships new versions, judges them, and takes bad ones back.`,
    '',
    `Usage: evenkeel <command> [options]`,
    '',
    `  ${style.cyan('evenkeel init')}          writes evenkeel.yaml from what your project says about itself`,
    `  ${style.cyan('evenkeel up')}            starts the system`,
    `  ${style.cyan('evenkeel deploy api')}    ships the code as it is now`,
    `  ${style.cyan('evenkeel rollback api')}  takes it back`,
    ...groups.flatMap(({ title, specs }) => [
      '',
      style.bold(title),
      ...specs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    ]),
    '',
    'Every command: --env NAME, --json, --yes, --no-color, --project NAME.',
    '`evenkeel <command> --help` explains one, with examples.',
  ];
}
