import { metricWords, shownMetrics } from '../../api/contract/reading/verdict-words.ts';
import type { RolloutView } from '../../api/contract/rollouts.ts';
import type { VerdictView } from '../../api/contract/verdict.ts';
import { formatCount, formatPercent, formatTimeLeft } from '../../lib/format.ts';
import type { Style } from '../screen/style.ts';
import { table, type Column } from '../screen/table.ts';
import { widthOf, wrap } from '../screen/text.ts';
import type { FrameOptions } from './frame-options.ts';
import { formerReleases, has, metricText, newReleases, requestsLine } from './words.ts';

/** Cells of the bar, where there is room. */
const BAR = 30;
const SHORT_BAR = 12;
const GAUGE = 10;
/** Below this there is no room for the gauge beside the numbers. */
const NARROW = 60;
/** With more services than this each gets one line. */
const ROOMY = 2;

type Metric = VerdictView['metrics'][number];
type Judged = RolloutView['services'][number] & { verdict: VerdictView };

/** With traffic on it: how much, for how long, and what the new release is judged by, beside the baseline. */
export function judgement(rollout: RolloutView, options: FrameOptions): string[] {
  const judged = rollout.services.filter((each): each is Judged => each.verdict !== null);
  const head = rollout.phase === 'watching' ? watchingHead(rollout, options) : canaryHead(rollout, options);
  if (judged.length > ROOMY) return [...head, '', ...overview(judged, options)];
  return [...head, ...judged.flatMap((each) => closely(each, judged.length > 1, options))];
}

function canaryHead(rollout: RolloutView, options: FrameOptions): string[] {
  const { style } = options;
  const { steps, step, weight, of = 'sessions' } = rollout.canary;
  const left = timeLeft(rollout, options);
  const where =
    step >= steps.length
      ? `all ${steps.length} steps passed`
      : `step ${step + 1} of ${steps.length}${left === '' ? '' : `, ${left}`}`;
  const share = `  ${bar(weight, style.cyan, options)} ${style.bold(formatPercent(weight))} of ${of}`;
  const line = `${share}${style.dim(`, ${where}`)}`;
  return widthOf(line) < options.columns ? [line] : [share, style.dim(`  ${where}`)];
}

function watchingHead(rollout: RolloutView, options: FrameOptions): string[] {
  const { style } = options;
  const left = timeLeft(rollout, options);
  // A first release has nothing that it could be rolled back to.
  const window = formerReleases(rollout) === '' ? 'It is watched for its errors' : 'The rollback window is open';
  return [
    `  ${bar(rollout.canary.weight, style.green, options)} ${style.bold(newReleases(rollout))} ${has(rollout.services.length)} all traffic`,
    ...(left === '' ? [] : [style.dim(`  ${window}: ${left}.`)]),
  ];
}

/** A pause stops the clock. */
function timeLeft({ nextAt, paused }: RolloutView, { now }: FrameOptions): string {
  return nextAt === null || paused !== null ? '' : `${formatTimeLeft(nextAt - now)} left`;
}

function bar(percent: number, paint: Style['cyan'], { style, columns }: FrameOptions): string {
  const cells = columns < 80 ? SHORT_BAR : BAR;
  const full = Math.round((percent / 100) * cells);
  return paint(style.symbols.full.repeat(full)) + style.dim(style.symbols.empty.repeat(cells - full));
}

/** One service with all its metrics, and the reason where the numbers alone do not say it. */
function closely({ service, verdict }: Judged, named: boolean, options: FrameOptions): string[] {
  const { style, columns } = options;
  const plain = verdict.verdict === 'pass' || (verdict.verdict === 'inconclusive' && verdict.metrics.every(isFine));
  const prose = (text: string, paint: Style['dim']): string[] =>
    wrap(text, Math.min(columns, 110) - 3).map((line) => `  ${paint(line)}`);
  return [
    '',
    ...(named ? [`  ${style.bold(service)}`] : []),
    ...metricTable(verdict, options),
    ...prose(requestsLine(verdict), style.dim),
    ...(plain ? [] : prose(verdict.reason, style.yellow)),
  ];
}

const isFine = ({ state }: Metric): boolean => state === 'ok';

function metricTable(verdict: VerdictView, { style, columns }: FrameOptions): string[] {
  const { test } = verdict;
  const narrow = columns < NARROW;
  const rows = shownMetrics(verdict).map((metric) => [
    metric.metric,
    metricText(metric.unit, metric.canary),
    test === 'window' ? '' : style.dim(metricText(metric.unit, metric.baseline)),
    metric.limit === null ? '' : style.dim(metricText(metric.unit, metric.limit)),
    narrow ? stateText(metric, test, style) : evidence(metric, test, style),
  ]);
  if (rows.length === 0) return [];
  const numbers = [test === 'window' ? 'now' : 'canary', 'baseline', 'limit'];
  const titles: Column[] = [
    { title: '' },
    ...numbers.map((title) => ({ title, align: 'right' as const })),
    { title: narrow ? '' : 'evidence against it' },
  ];
  return table(titles, rows, { style, columns, indent: narrow ? 0 : 2 });
}

/** Many services at a glance: the new release first, the baseline beside it. */
function overview(judged: readonly Judged[], { style, columns }: FrameOptions): string[] {
  const right = (title: string): Column => ({ title, align: 'right' });
  const titles = [
    { title: 'service' },
    right('errors'),
    right('baseline'),
    right('p95'),
    right('baseline'),
    right('seen'),
    right('needed'),
    { title: 'evidence against it' },
  ];
  const rows = judged.map(({ service, verdict }) => {
    const { metrics, test, canaryRequests, neededRequests } = verdict;
    const worst = metrics.toSorted((a, b) => b.progress - a.progress)[0];
    return [
      service,
      ...beside(
        metrics.find(({ unit }) => unit === 'rate'),
        style,
      ),
      ...beside(
        metrics.find(({ unit }) => unit === 'ms'),
        style,
      ),
      formatCount(canaryRequests),
      neededRequests === null ? '' : formatCount(neededRequests),
      worst === undefined ? '' : evidence(worst, test, style),
    ];
  });
  return table(titles, rows, { style, columns, indent: 2 });
}

function beside(metric: Metric | undefined, style: Style): [string, string] {
  if (metric === undefined) return ['', ''];
  return [metricText(metric.unit, metric.canary), style.dim(metricText(metric.unit, metric.baseline))];
}

function evidence(metric: Metric, test: VerdictView['test'], style: Style): string {
  const full = Math.round(Math.min(1, Math.max(0, metric.progress)) * GAUGE);
  const gauge = `${paintOf(metric, style)(style.symbols.full.repeat(full))}${style.dim(style.symbols.empty.repeat(GAUGE - full))}`;
  return `${gauge} ${stateText(metric, test, style)}`;
}

/** What was not measured yet is painted neither well nor bad. */
function stateText(metric: Metric, test: VerdictView['test'], style: Style): string {
  const words = metricWords(metric, test);
  return metric.state === 'ok' && metric.canary === null ? style.dim(words) : paintOf(metric, style)(words);
}

const paintOf = ({ state }: Metric, style: Style): Style['dim'] =>
  state === 'ok' ? style.green : state === 'fail' ? style.red : style.yellow;
