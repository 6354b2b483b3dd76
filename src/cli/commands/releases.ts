import type { ReleaseView } from '../../api/contract/releases.ts';
import { formatDuration } from '../../lib/format.ts';
import type { CommandSpec } from '../command.ts';
import { countOf } from '../parse-count.ts';
import type { Style } from '../screen/style.ts';
import { table } from '../screen/table.ts';
import { dateAndTime } from '../screen/time.ts';

export const releases: CommandSpec = {
  name: 'releases',
  summary: 'the versions that were shipped, and which can be gone back to',
  arguments: [{ usage: '[service]', description: 'which; default: all' }],
  options: [{ flags: '--limit <n>', description: 'how many; default 20' }],
  examples: [
    { command: 'evenkeel releases api', means: 'those of a service' },
    { command: 'evenkeel rollback api --to api@40', means: 'go back to one of them' },
  ],
  async run(context, input) {
    const { out, deps } = context;
    const service = input.text('service');
    const scope = await context.scope();
    const client = await context.client();
    const { releases: list } = await client.listReleases({
      ...scope,
      ...(service === null ? {} : { service }),
      limit: countOf(input, 'limit', 'releases') ?? 20,
    });
    out.data({ releases: list });
    if (list.length === 0)
      out.line(`Nothing${service === null ? '' : ` of ${service}`} was shipped to ${scope.environment} yet.`);
    else {
      const columns = [
        { title: 'release' },
        { title: 'version' },
        { title: 'commit' },
        { title: 'made', leaveOut: 2 },
        { title: 'age', leaveOut: 1 },
        { title: 'by' },
        { title: 'state' },
      ];
      const rows = list.map((each) => row(each, out.style, deps.now()));
      out.line(...table(columns, rows, { style: out.style, columns: out.columns() }));
    }
  },
};

function row(each: ReleaseView, style: Style, now: number): string[] {
  return [
    each.release,
    each.label ?? '',
    each.commit === null ? '' : `${each.commit.slice(0, 10)}${each.dirty ? '+' : ''}`,
    dateAndTime(each.createdAt),
    formatDuration(now - each.createdAt),
    each.createdBy,
    state(each, style),
  ];
}

function state({ state: value, behindContract = null }: ReleaseView, style: Style): string {
  switch (value) {
    case 'current':
      return style.green('serves');
    case 'former':
      return style.cyan('former, hot');
    case 'kept':
      return behindContract === null ? 'kept' : style.dim(`kept; the contract of ${behindContract} bars the way back`);
    case 'gone':
      return style.dim('files are gone');
  }
}
