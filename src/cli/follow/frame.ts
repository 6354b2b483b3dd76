import type { RolloutView } from '../../api/contract/rollouts.ts';
import { formatDuration, formatTimeLeft } from '../../lib/format.ts';
import { table } from '../screen/table.ts';
import { printable, widthOf, wrap } from '../screen/text.ts';
import type { FrameOptions } from './frame-options.ts';
import { judgement } from './judgement.ts';
import { phaseSteps, type PhaseStep } from '../../api/contract/reading/phase-steps.ts';
import type { FollowState } from './state.ts';
import { formerReleases, newReleases } from './words.ts';

const OUTPUT_LINES = 6;

/** Whose output belongs to which phase; jobs have their kind in their name. */
const JOBS: Readonly<Record<string, readonly string[]>> = {
  building: ['build'],
  migrating: ['migrate'],
  verifying: ['smoke', 'check'],
  contracting: ['contract'],
};

/** A rollout as it stands, in a few lines that are redrawn in place. */
export function frame(state: FollowState, options: FrameOptions): string[] {
  const { rollout } = state;
  const { style } = options;
  if (rollout === null) return [`${spinner(options)} ${style.dim('asking the controller')}`, ...silence(options)];
  return [
    ...title(rollout, options),
    ...phaseLines(rollout, state, options),
    '',
    ...body(rollout, state, options),
    ...silence(options),
  ];
}

function title(rollout: RolloutView, { style, columns }: FrameOptions): string[] {
  const from = formerReleases(rollout);
  const what = `${style.bold(newReleases(rollout))}${from === '' ? '' : style.dim(` from ${from}`)}`;
  const { dot } = style.symbols;
  const line = `${style.cyan(rollout.environment)} ${style.dim(dot)} ${what} ${style.dim(`${dot} ${rollout.id}`)}`;
  return widthOf(line) < columns
    ? [line]
    : [`${style.cyan(rollout.environment)} ${style.dim(`${dot} ${rollout.id}`)}`, what];
}

/** The phases beside one another, broken where the screen ends. */
function phaseLines(rollout: RolloutView, { entries }: FollowState, options: FrameOptions): string[] {
  const lines: string[] = [];
  for (const step of phaseSteps(rollout, entries, options.now)) {
    const text = phaseText(step, options);
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 2 + widthOf(text) < options.columns)
      lines[lines.length - 1] = `${last}  ${text}`;
    else lines.push(text);
  }
  return lines;
}

function phaseText({ name, state, ms }: PhaseStep, options: FrameOptions): string {
  const { style } = options;
  const { symbols } = style;
  const time = shownTime(state, ms);
  switch (state) {
    case 'done':
      return `${style.green(symbols.done)} ${name}${style.dim(time)}`;
    case 'now':
      return `${style.cyan(spinner(options))} ${style.bold(name)}${style.dim(time)}`;
    case 'paused':
      return `${style.yellow(symbols.paused)} ${style.bold(name)}${style.dim(time)}`;
    case 'failed':
      return `${style.red(symbols.failed)} ${style.bold(name)}${style.dim(time)}`;
    case 'todo':
      return style.dim(`${symbols.todo} ${name}`);
  }
}

/** What took no time did nothing, and its time would only be noise. */
function shownTime(state: PhaseStep['state'], ms: number | null): string {
  if (ms === null || ms < (state === 'now' ? 1000 : 10)) return '';
  return ` ${formatDuration(state === 'now' ? wholeSeconds(ms) : ms)}`;
}

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;
const spinner = ({ style, tick }: FrameOptions): string =>
  style.symbols.spinner[tick % style.symbols.spinner.length] ?? '';

function body(rollout: RolloutView, state: FollowState, options: FrameOptions): string[] {
  const { style } = options;
  if (rollout.end !== null && rollout.end !== 'complete') {
    const taking = rollout.settled ? [] : [style.dim('Taking it back: traffic, instances and jobs.')];
    return [...prose(rollout.reason, options, style.red), ...taking];
  }
  const lines: string[] = [];
  if (rollout.phase === 'canary' || rollout.phase === 'watching') lines.push(...judgement(rollout, options));
  else if (rollout.phase !== 'complete') lines.push(...working(rollout, state, options));
  if (rollout.paused !== null)
    lines.push(
      '',
      ...prose(`Paused: ${rollout.paused.detail}`, options, style.yellow),
      ...prose(pauseLeft(rollout, options), options, style.dim),
    );
  return lines;
}

function pauseLeft({ nextAt, phase }: RolloutView, { now }: FrameOptions): string {
  return nextAt === null
    ? 'It waits for a person.'
    : `It waits for a person, and is ${phase === 'contracting' ? 'left' : 'aborted'} in ${formatTimeLeft(nextAt - now)}.`;
}

/** Before there is traffic: who is up, what waits, and what the jobs say. */
function working(rollout: RolloutView, { output }: FollowState, options: FrameOptions): string[] {
  const { style, columns } = options;
  const rows = rollout.services.flatMap(({ to, kind, observed }) => {
    if (observed === null || kind === 'static' || rollout.phase === 'building') return [];
    const all = observed.healthy >= observed.wanted;
    const healthy = `${observed.healthy} of ${observed.wanted} healthy`;
    return [
      [
        to,
        all ? style.green(healthy) : healthy,
        observed.running > observed.healthy ? style.dim(`${observed.running} running`) : '',
      ],
    ];
  });
  const instances =
    rows.length === 0
      ? []
      : table([{ title: 'release' }, { title: 'instances' }, { title: '' }], rows, { style, columns, indent: 2 });
  const jobs = JOBS[rollout.phase] ?? [];
  const shown = output.filter(({ job }) => jobs.some((kind) => job.includes(kind))).slice(-OUTPUT_LINES);
  const many = new Set(shown.map(({ service }) => service)).size > 1;
  return [
    ...instances.slice(1),
    ...shown.map(
      ({ service, line }) => `  ${style.dim('|')} ${many ? `${style.dim(service)} ` : ''}${printable(line)}`,
    ),
    ...(shown.length > 0 ? [] : [style.dim(`  ${rollout.reason}`)]),
  ];
}

function prose(text: string, { columns }: FrameOptions, paint: (text: string) => string): string[] {
  return wrap(text, Math.min(columns, 110) - 3).map((line) => `  ${paint(line)}`);
}

function silence({ silentMs, style, tick }: FrameOptions): string[] {
  if (silentMs < 5_000) return [];
  const since = formatDuration(wholeSeconds(silentMs));
  return [
    '',
    style.yellow(
      `${style.symbols.spinner[tick % style.symbols.spinner.length]} The controller has not answered for ${since}. The rollout stays as it is; still trying.`,
    ),
  ];
}
