import { setTimeout as sleep } from 'node:timers/promises';
import type { Scope } from '../../api/contract/common.ts';
import type { RunView } from '../../api/contract/runs.ts';
import { formatDuration } from '../../lib/format.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiClient } from '../../api/contract/client.ts';
import type { CommandSpec, Input } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { INTERRUPTED } from '../interrupt.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';
import { logPrinter } from '../show-log.ts';
import { runOutcome } from '../show-run.ts';

export const run: CommandSpec = {
  name: 'run',
  summary: 'runs a scheduled service now',
  description:
    'The release that serves now, as its schedule would run it: recorded, and never beside another run of it. Its output is followed until it ends; Ctrl-C leaves, and the run goes on.',
  arguments: [{ usage: '[service]', description: 'which' }],
  options: [
    { flags: '--detach', description: 'do not wait for its end' },
    { flags: '--cancel', description: 'end the run that is under way' },
    { flags: '--list', description: 'the last runs, and what came of them' },
  ],
  examples: [
    { command: 'evenkeel run tidy', means: 'run it now' },
    { command: 'evenkeel run --list', means: 'what ran, what failed, what was missed' },
    { command: 'evenkeel logs tidy --job scheduled', means: 'what the last run wrote' },
  ],
  run: act,
};

const LOOK_EVERY_MS = 200;

async function act(context: Context, input: Input): Promise<ExitCode> {
  const scope = await context.scope();
  const service = input.text('service');
  const client = await context.client();
  if (input.flag('list')) return list(context, client, scope, service);
  if (service === null)
    throw new EvenkeelError({
      code: 'usage',
      what: 'the service to run is missing',
      next: 'evenkeel run SERVICE, or evenkeel run --list for the last runs',
    });
  const request = { ...scope, service };
  if (input.flag('cancel')) return cancel(context, client, scope, await client.cancelRun(request));
  const begun = await client.startRun(request);
  const what = begun.release ?? service;
  if (input.flag('detach')) {
    context.out.line(`${what} runs; \`evenkeel logs ${service} --job scheduled -f\` follows it.`);
    context.out.data(begun);
    return 0;
  }
  context.out.line(`Running ${what}.`);
  const ended = await follow(context, client, scope, begun);
  if (ended === null) {
    context.out.remark(`It goes on; evenkeel run ${service} --cancel ends it.`);
    return INTERRUPTED;
  }
  return told(context, ended);
}

/** What it writes, as it writes it; null when somebody does not want to wait any more. */
async function follow(context: Context, client: ApiClient, scope: Scope, begun: RunView): Promise<RunView | null> {
  const { out, interrupt } = context;
  const over = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, over.signal]);
  const print = logPrinter(out);
  const query = { ...scope, service: begun.service, job: 'scheduled' as const, instance: begun.id, lines: 100_000 };
  let shown = 0;
  const output = (async () => {
    try {
      for await (const event of client.readLogs({ ...query, follow: true }, { signal })) {
        if (event === null) continue;
        shown++;
        out.line(print(event.data));
      }
    } catch (error) {
      if (!signal.aborted) out.remark(`its output cannot be followed: ${String(error)}`);
    }
  })();
  let seen = begun;
  while (seen.state === 'running' && !interrupt.signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: interrupt.signal }).catch(() => {});
    if (!interrupt.signal.aborted) seen = await client.getRun({ ...scope, service: begun.service, dueAt: begun.dueAt });
  }
  over.abort();
  await output;
  if (interrupt.signal.aborted) return null;
  // What it wrote last, and nobody has followed yet, is said before its end is.
  let read = 0;
  if (seen.startedAt !== null)
    for await (const event of client.readLogs(query, { signal: interrupt.signal }))
      if (event !== null && ++read > shown) out.line(print(event.data));
  return seen;
}

async function cancel(context: Context, client: ApiClient, scope: Scope, asked: RunView): Promise<ExitCode> {
  let seen = asked;
  while (seen.state === 'running' && !context.interrupt.signal.aborted) {
    await sleep(LOOK_EVERY_MS);
    seen = await client.getRun({ ...scope, service: asked.service, dueAt: asked.dueAt });
  }
  const { out } = context;
  out.line(`${seen.release ?? seen.service}: ${runOutcome(seen, out.style)}`);
  out.data(seen);
  return seen.state === 'cancelled' || seen.state === 'done' ? 0 : 2;
}

function told({ out }: Context, ended: RunView): ExitCode {
  const took = (ended.endedAt ?? 0) - (ended.startedAt ?? ended.endedAt ?? 0);
  const done = ended.state === 'done';
  const mark = done ? out.style.green(out.style.symbols.done) : out.style.red(out.style.symbols.failed);
  const text = done ? `is done, after ${formatDuration(took)}.` : runOutcome(ended, out.style);
  out.prose(`${mark} ${ended.release ?? ended.service} ${text}`, 2);
  out.data(ended);
  return done ? 0 : 2;
}

async function list(context: Context, client: ApiClient, scope: Scope, service: string | null): Promise<ExitCode> {
  const { out } = context;
  const { runs } = await client.listRuns({ ...scope, ...(service === null ? {} : { service }) });
  out.data({ runs });
  if (runs.length === 0) out.line(`Nothing${service === null ? '' : ` of ${service}`} has run on schedule yet.`);
  else
    out.line(
      ...table(
        [
          { title: 'time' },
          { title: 'service' },
          { title: 'release' },
          { title: 'took', align: 'right' },
          { title: 'outcome' },
        ],
        runs.map((each) => [
          dateAndTime(each.dueAt),
          each.service,
          each.release ?? '',
          each.startedAt === null ? '' : formatDuration((each.endedAt ?? context.deps.now()) - each.startedAt),
          runOutcome(each, out.style),
        ]),
        { style: out.style, columns: out.columns(), indent: 0 },
      ),
    );
  return 0;
}
