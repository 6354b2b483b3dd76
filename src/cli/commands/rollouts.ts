import type { RolloutView } from '../../api/contract/rollouts.ts';
import { formatDuration } from '../../lib/format.ts';
import type { CommandSpec, Input } from '../command.ts';
import type { Context } from '../context.ts';
import { findNewest } from '../find-rollout.ts';
import { formerReleases, newReleases } from '../follow/words.ts';
import { countOf } from '../parse-count.ts';
import type { Style } from '../screen/style.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';
import { storyLines } from '../show-story.ts';

export const rollouts: CommandSpec = {
  name: 'rollouts',
  summary: 'what was rolled out, and how it went',
  arguments: [{ usage: '[service]', description: 'only those of a service' }],
  options: [{ flags: '--limit <n>', description: 'how many; default 20' }],
  examples: [
    { command: 'evenkeel rollouts', means: 'the newest twenty' },
    { command: 'evenkeel rollouts show', means: 'the story of the newest one' },
  ],
  subcommands: [
    {
      name: 'show',
      summary: 'the story of one rollout, with its numbers',
      arguments: [
        { usage: '[rollout]', description: 'its id or the beginning of it, or a service; default: the newest' },
      ],
      examples: [{ command: 'evenkeel rollouts show api', means: 'the newest one of a service' }],
      run: show,
    },
  ],
  run: list,
};

async function list(context: Context, input: Input): Promise<void> {
  const { out, deps } = context;
  const service = input.text('service');
  const project = await context.projectName();
  const explicit = context.globals.environment !== null || (deps.env['EVENKEEL_ENV'] ?? '') !== '';
  const client = await context.client();
  // An id in the place of a service is what one copies from a message.
  if (service !== null && /^[0-9a-z_]{20,}$/.test(service)) return show(context, { ...input, text: () => service });
  const { rollouts: found } = await client.listRollouts({
    ...(project === null ? {} : { project }),
    ...(explicit ? { environment: context.environment } : {}),
    ...(service === null ? {} : { service }),
    limit: countOf(input, 'limit', 'rollouts') ?? 20,
  });
  out.data({ rollouts: found });
  if (found.length === 0) out.line('Nothing was rolled out yet.', '  evenkeel up  start');
  else {
    const titles = [
      { title: 'rollout' },
      { title: 'begun', leaveOut: 1 },
      { title: 'environment', leaveOut: 2 },
      { title: 'releases' },
      { title: 'from', leaveOut: 3 },
      { title: 'by', leaveOut: 4 },
      { title: 'took', leaveOut: 5 },
      { title: 'state' },
    ];
    const rows = found.map((each) => row(each, out.style, deps.now()));
    out.line(...table(titles, rows, { style: out.style, columns: out.columns() }));
  }
}

function row(each: RolloutView, style: Style, now: number): string[] {
  return [
    each.id,
    dateAndTime(each.createdAt),
    each.environment,
    newReleases(each),
    formerReleases(each),
    each.requestedBy,
    formatDuration((each.promotedAt ?? each.endedAt ?? now) - each.createdAt),
    state(each, style),
  ];
}

function state({ end, paused, phase }: RolloutView, style: Style): string {
  if (end === 'complete') return style.green(end);
  if (end !== null) return style.red(end);
  return paused === null ? style.cyan(phase) : style.yellow(`paused, ${paused.reason}`);
}

async function show(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const client = await context.client();
  const rollout = await findNewest(context, client, input.text('rollout'));
  const { entries } = await client.getStory({ rollout: rollout.id });
  out.data({ rollout, entries });
  out.line(...storyLines(rollout, entries, { style: out.style, columns: out.columns() }));
}
