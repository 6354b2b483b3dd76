import { formatDuration } from '../../lib/format.ts';
import type { LogLine, LogsQuery } from '../../api/contract/logs.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { INTERRUPTED } from '../interrupt.ts';
import { parseAgo } from '../parse-ago.ts';
import { accessPrinter } from '../show-access.ts';
import { logPrinter } from '../show-log.ts';

export const logs: CommandSpec = {
  name: 'logs',
  summary: 'what instances write, or what a build or a migration wrote',
  arguments: [{ usage: '[service]', description: 'which; default: all of the environment' }],
  options: [
    { flags: '-f, --follow', description: 'go on with what is written from now on' },
    { flags: '--since <time>', description: 'such as 10m, 2h, 3d, or 2026-07-31T10:00' },
    { flags: '--grep <pattern>', description: 'only lines that match this regular expression' },
    { flags: '-n, --lines <n>', description: 'the last so many lines of each instance; default 200' },
    { flags: '--release <release>', description: 'of this release, such as api@41' },
    { flags: '--instance <id>', description: 'of this instance' },
    { flags: '--access', description: 'what the edge was asked, instead (`accessLog` in evenkeel.yaml)' },
    {
      flags: '--job <kind>',
      description: 'what the last job of this kind wrote, instead of instances',
      choices: ['build', 'migrate', 'smoke', 'check', 'contract', 'scheduled'],
    },
  ],
  examples: [
    { command: 'evenkeel logs api -f', means: 'follow a service' },
    { command: 'evenkeel logs --since 10m --grep "error|warn"', means: 'what went wrong lately' },
    { command: 'evenkeel logs --access -f', means: 'follow what visitors ask' },
    { command: 'evenkeel logs api --job build', means: 'why it did not build' },
    { command: 'evenkeel logs api --release api@42 --json', means: 'for programs, one line of JSON each' },
  ],
  run,
};

async function run(context: Context, input: Input): Promise<ExitCode> {
  const { out, deps, interrupt } = context;
  const since = input.text('since');
  const lines = input.text('lines');
  if (lines !== null && !/^\d{1,6}$/.test(lines)) {
    throw new EvenkeelError({
      code: 'usage',
      what: `--lines wants a number, not ${lines}`,
      next: 'evenkeel logs --help',
    });
  }
  const query = {
    ...(await context.scope()),
    service: input.text('service') ?? undefined,
    since: since === null ? undefined : parseAgo(since, deps.now()),
    grep: input.text('grep') ?? undefined,
    // With a time, that is the limit; nobody counts lines then.
    lines: lines === null ? (since === null ? undefined : 100_000) : Number(lines),
    release: input.text('release') ?? undefined,
    instance: input.text('instance') ?? undefined,
    // One of the choices above.
    job: (input.text('job') ?? undefined) as LogsQuery['job'],
    access: input.flag('access'),
    follow: input.flag('follow'),
  };
  const client = await context.client();
  if (query.access && query.job !== undefined)
    throw new EvenkeelError({
      code: 'usage',
      what: '--access and --job are of different logs',
      next: 'evenkeel logs --help',
    });
  const print = query.access ? accessPrinter(out) : logPrinter(out);
  let shown = 0;
  const show = (line: LogLine | null): void => {
    if (line === null) return;
    shown++;
    out.data(line);
    if (!out.json) out.line(print(line));
  };
  try {
    for await (const event of client.readLogs(query, { signal: interrupt.signal })) show(event?.data ?? null);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  }
  if (shown === 0 && !query.follow && !out.json) {
    const when = query.since === undefined ? '' : ` in the last ${formatDuration(deps.now() - query.since)}`;
    const off = query.access ? ' Is `accessLog` on for this environment in evenkeel.yaml?' : '';
    out.remark(`No lines${query.grep === undefined ? '' : ' match'}${when}.${off}`);
  }
  return interrupt.signal.aborted ? INTERRUPTED : 0;
}
