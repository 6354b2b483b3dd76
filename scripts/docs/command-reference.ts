import { GROUPS } from '../../src/cli/registry.ts';
import type { CommandSpec } from '../../src/cli/command.ts';

/** What every verb of the CLI says about itself. */
export async function commandReference(): Promise<Map<string, string>> {
  const groups = await Promise.all(
    GROUPS.map(async ({ title, verbs }) => {
      const specs = await Promise.all(Object.values(verbs).map((load) => load()));
      return [`### ${title}`, ...specs.flatMap((spec) => describe(spec, 'evenkeel'))].join('\n\n');
    }),
  );
  return new Map([['commands', groups.join('\n\n')]]);
}

function describe(spec: CommandSpec, before: string): string[] {
  const name = `${before} ${spec.name}`;
  const subcommands = (spec.subcommands ?? []).flatMap((sub) => describe(sub, name));
  if (spec.run === undefined && subcommands.length > 0) return subcommands;
  const usage = [name, ...(spec.arguments ?? []).map((each) => each.usage)].join(' ');
  const about = [spec.summary, spec.description].flatMap((text) => (text === undefined ? [] : sentence(text)));
  const parts = [`#### \`${usage}\``, about.join(' ')];
  const rows = [
    ...(spec.arguments ?? []).map(({ usage: argument, description }) => [argument, description]),
    ...(spec.options ?? []).map(({ flags, description, choices }) => [
      flags,
      choices === undefined || choices.every((each) => description.includes(each))
        ? description
        : `${description} (${choices.join(', ')})`,
    ]),
  ].map(([what = '', means = '']) => `| \`${escape(what)}\` | ${escape(means)} |`);
  if (rows.length > 0) parts.push(['| | |', '|---|---|', ...rows].join('\n'));
  const examples = spec.examples ?? [];
  if (examples.length > 0) {
    const width = Math.max(...examples.map(({ command }) => command.length));
    const lines = examples.map(({ command, means }) => `${command.padEnd(width)}   # ${means}`);
    parts.push(['```sh', ...lines, '```'].join('\n'));
  }
  return [...parts, ...subcommands];
}

const escape = (text: string): string => text.replaceAll('|', '\\|');

function sentence(text: string): string {
  const begun = /^[a-z]+[ ,:]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?:]$/.test(begun) ? begun : `${begun}.`;
}
