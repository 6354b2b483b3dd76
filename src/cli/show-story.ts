import type { JournalView, RolloutView } from '../api/contract/rollouts.ts';
import { formatDuration } from '../lib/format.ts';
import { formerReleases, newReleases } from './follow/words.ts';
import type { Style } from './screen/style.ts';
import { stopped, wrap } from './screen/text.ts';
import { dateAndTime, timeOfDay } from './screen/time.ts';

/** The story of a rollout as its journal tells it: who, what, when, why, and the numbers behind each step. */
export function storyLines(
  rollout: RolloutView,
  entries: readonly JournalView[],
  { style, columns }: { style: Style; columns: number },
): string[] {
  const from = formerReleases(rollout);
  const width = Math.min(columns, 100);
  const phaseWidth = Math.max(0, ...entries.map(({ to }) => to.length));
  const indent = 8 + 2 + phaseWidth + 2;
  const told = entries.flatMap((entry, index) => {
    // What happened within a phase belongs to it, and is told under its name.
    const name = index > 0 && entry.from === entry.to ? '' : entry.to;
    const [first = '', ...rest] = wrap(stopped(entry.reason), width - indent);
    const line = `${style.dim(timeOfDay(entry.at))}  ${paint(entry.to, style)(name.padEnd(phaseWidth))}  ${first}`;
    return [line, ...rest.map((text) => ' '.repeat(indent) + text)];
  });
  return [
    ...wrap(
      `${style.bold(newReleases(rollout))}${from === '' ? ', the first release' : ` in the place of ${from}`}, ${rollout.project} in ${style.cyan(rollout.environment)}`,
      width,
    ),
    style.dim(`rollout ${rollout.id}, asked for by ${rollout.requestedBy} on ${dateAndTime(rollout.createdAt)}`),
    '',
    ...told,
    '',
    ...wrap(ending(rollout), width),
  ];
}

function ending({ end, createdAt, endedAt, promotedAt, paused, phase }: RolloutView): string {
  const promoted = promotedAt === null ? '' : `It had all traffic after ${formatDuration(promotedAt - createdAt)}`;
  const ended = endedAt === null ? '' : formatDuration(endedAt - (promotedAt ?? createdAt));
  switch (end) {
    case null:
      if (paused !== null) return `It is paused since ${timeOfDay(paused.since)}, and a person must decide.`;
      if (phase === 'contracting') return `${promoted}; what only older releases needed is being taken away.`;
      return promoted === '' ? `It is under way (${phase}).` : `${promoted}; its rollback window is still open.`;
    case 'complete':
      return `${promoted === '' ? 'It is complete' : promoted}; the rollback window closed ${ended} later.`;
    case 'rolled-back':
      return `${promoted}, and was rolled back ${ended} later.`;
    case 'aborted':
    case 'failed':
      return `It ${end === 'failed' ? 'failed' : 'was aborted'} after ${ended}, before it was promoted.`;
  }
}

function paint(to: string, style: Style): (text: string) => string {
  if (to === 'complete' || to === 'watching' || to === 'contracting') return style.green;
  return ['failed', 'aborted', 'rolled-back'].includes(to) ? style.red : style.cyan;
}
