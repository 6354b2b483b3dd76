import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiClient } from '../../api/contract/client.ts';
import { organizationOf } from '../access/who.ts';
import type { CommandSpec, Input, OptionSpec } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { parseAgo } from '../parse-ago.ts';
import { countOf } from '../parse-count.ts';
import { actLines } from '../show-audit.ts';

const FILTERS: readonly OptionSpec[] = [
  { flags: '--who <name>', description: 'only what this person, or token, did' },
  { flags: '--operation <name>', description: 'only this, as --json names it: deploy, setSecrets, …' },
  { flags: '--organization <name>', description: 'only what is of this one' },
  { flags: '--since <time>', description: 'such as 2h, 30d, or 2026-07-31T10:00' },
  { flags: '--until <time>', description: 'the same' },
];

export const audit: CommandSpec = {
  name: 'audit',
  summary: 'who did what, from where, and what came of it',
  description:
    'Everything that was asked for and could change something is written down before it is done, and its result behind it; what was refused, too. Values of secrets are never among it. Of all projects, unless --project, --env or the folder says which.',
  options: [
    ...FILTERS,
    { flags: '--result <how>', description: 'only what ended so', choices: ['done', 'refused', 'failed', 'unknown'] },
    { flags: '--limit <n>', description: 'how many; default 50' },
  ],
  examples: [
    { command: 'evenkeel audit --env production --since 7d', means: 'what was done to production in a week' },
    { command: 'evenkeel audit --result refused', means: 'what somebody tried and could not do' },
    { command: 'evenkeel audit verify', means: 'whether anything of it was changed or is missing' },
  ],
  subcommands: [
    {
      name: 'verify',
      summary: 'whether any entry was changed, removed, put in or moved',
      description:
        'Looks through the whole chain of hashes, and at the file that knows its end. Exit code 2 when something is wrong; it says at which entry.',
      run: verify,
    },
    {
      name: 'export',
      summary: 'every entry, as lines of JSON or as a table for spreadsheets',
      description: 'The oldest first, on the standard output, with the hashes.',
      options: [{ flags: '--format <kind>', description: 'default: ndjson', choices: ['ndjson', 'csv'] }, ...FILTERS],
      examples: [
        { command: 'evenkeel audit export --since 90d > audit.ndjson', means: 'for programs' },
        { command: 'evenkeel audit export --format csv --env production > audit.csv', means: 'for people' },
      ],
      run: exportAll,
    },
  ],
  run: list,
};

async function list(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const client = await context.client();
  const result = input.text('result') as 'done' | null;
  const { acts, next } = await client.listAudit({
    ...(await filterOf(context, input, client)),
    ...(result === null ? {} : { result }),
    limit: countOf(input, 'limit', 'acts') ?? 50,
  });
  out.data({ acts, next });
  if (acts.length === 0) out.line('Nobody did anything like that.');
  else out.line(...actLines(acts, { style: out.style, columns: out.columns() }));
}

async function verify(context: Context): Promise<ExitCode> {
  const { out } = context;
  const client = await context.client();
  const seen = await client.verifyAudit({}, { timeoutMs: 600_000 });
  out.data(seen);
  const { red, green, symbols } = out.style;
  if (seen.found === 0 && seen.head === null) out.line('Nothing has been written yet.');
  else if (seen.found === 0)
    out.line(
      `${green(symbols.done)} ${seen.entries} ${seen.entries === 1 ? 'entry' : 'entries'}, ${seen.first} to ${seen.head?.seq}: nothing was changed, and nothing is missing.`,
      `  The last one is ${seen.head?.seq}:${seen.head?.hash}`,
    );
  for (const { what } of seen.findings) out.line(`${red(symbols.failed)} ${what}`);
  if (seen.found > seen.findings.length) out.line(`… and ${seen.found - seen.findings.length} more`);
  if (seen.anchor === null && seen.head !== null)
    out.remark(
      'Warning: the file audit-anchor.json is not there: whether entries are missing at the end is not known.',
    );
  return seen.found === 0 ? 0 : 2;
}

async function exportAll(context: Context, input: Input): Promise<void> {
  const format = input.text('format') ?? 'ndjson';
  if (format !== 'ndjson' && format !== 'csv') throw new EvenkeelError({ code: 'usage', what: `no format ${format}` });
  const client = await context.client();
  const end = format === 'csv' ? '\r\n' : '\n';
  for await (const line of client.exportAudit({ ...(await filterOf(context, input, client)), format }))
    context.deps.stdout.write(`${line}${end}`);
}

async function filterOf({ globals, deps, projectName, environment }: Context, input: Input, client: ApiClient) {
  const now = deps.now();
  const project = await projectName();
  const explicit = globals.environment !== null || (deps.env['EVENKEEL_ENV'] ?? '') !== '';
  const time = (name: string): number | null => {
    const text = input.text(name);
    return text === null ? null : parseAgo(text, now);
  };
  const [who, operation] = [input.text('who'), input.text('operation')];
  const [from, to] = [time('since'), time('until')];
  const organization = input.text('organization') === null ? null : (await organizationOf(client, input)).id;
  return {
    ...(who === null ? {} : { who }),
    ...(operation === null ? {} : { operation }),
    ...(organization === null ? {} : { organization }),
    ...(project === null ? {} : { project }),
    ...(explicit ? { environment } : {}),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
  };
}
