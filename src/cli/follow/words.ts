import { metricValue, shownMetrics } from '../../api/contract/reading/verdict-words.ts';
import type { RolloutView } from '../../api/contract/rollouts.ts';
import type { StatusReply } from '../../api/contract/status.ts';
import type { VerdictView } from '../../api/contract/verdict.ts';
import { formatCount, formatShare, plural } from '../../lib/format.ts';

type Metric = VerdictView['metrics'][number];

/** `api@42 (v1.6.0)` */
export function releaseName(release: string, label: string | null): string {
  return label === null ? release : `${release} (${label})`;
}

type Parts = Pick<RolloutView, 'services' | 'removes' | 'opens'>;

/**
 * The releases that a rollout brings: `api@42 (v1.6.0), web@7`. Many with one label say it once. One that brings none
 * takes services down, or moves the public port.
 */
export function newReleases({ services, removes, opens }: Parts): string {
  if (services.length === 0) {
    const gone = removes.map(({ service }) => service).join(', ');
    return [gone === '' ? null : `the end of ${gone}`, opens === null ? null : `port ${opens.port}`]
      .filter((part) => part !== null)
      .join(' and ');
  }
  const labels = new Set(services.map(({ label }) => label));
  const [label] = labels;
  if (labels.size !== 1 || services.length === 1)
    return services.map((each) => releaseName(each.to, each.label)).join(', ');
  return releaseName(services.map(({ to }) => to).join(', '), label ?? null);
}

/** What they replace or take down: `api@41`; empty for a first deploy. */
export function formerReleases({ services, removes }: Pick<RolloutView, 'services' | 'removes'>): string {
  return [
    ...services.flatMap(({ from }) => (from === null ? [] : [from])),
    ...removes.map(({ release }) => release),
  ].join(', ');
}

/** `has all traffic`, and what workers do, which have none. */
export function holds({ services }: Pick<RolloutView, 'services'>): string {
  const one = services.length === 1;
  return services.every(({ kind }) => kind === 'worker')
    ? one
      ? 'runs'
      : 'run'
    : `${has(services.length)} all traffic`;
}

/** `has` or `have`, for what `newReleases` or `formerReleases` name. */
export const has = (count: number): string => (count === 1 ? 'has' : 'have');

/** `118 ms`, and `-` for what was not measured. */
export const metricText = (unit: Metric['unit'], value: number | null): string => metricValue(unit, value) ?? '-';

/** `errors 0.2 % (baseline 0.1 %, limit 1 %), p95 120 ms (baseline 118 ms)` */
export function metricsLine(verdict: VerdictView): string {
  const { test } = verdict;
  return shownMetrics(verdict)
    .filter(({ canary }) => canary !== null)
    .map((metric) => {
      const beside = [
        test === 'window' || metric.baseline === null ? null : `baseline ${metricText(metric.unit, metric.baseline)}`,
        metric.limit === null ? null : `limit ${metricText(metric.unit, metric.limit)}`,
      ].filter((part) => part !== null);
      const compared = beside.length === 0 ? '' : ` (${beside.join(', ')})`;
      return `${metric.metric} ${metricText(metric.unit, metric.canary)}${compared}`;
    })
    .join(', ');
}

/** `105 canary requests seen beside 945 of the baseline, about 43 more needed; would have caught 12 % errors` */
export function requestsLine(verdict: VerdictView): string {
  const { canaryRequests, baselineRequests, neededRequests, detectable, test } = verdict;
  const seen =
    test === 'window'
      ? `${plural(canaryRequests, 'request')} seen`
      : `${plural(canaryRequests, 'canary request')} seen beside ${formatCount(baselineRequests)} of the baseline`;
  const needed =
    neededRequests === null || neededRequests === 0 ? '' : `, about ${formatCount(neededRequests)} more needed`;
  const caught = detectable === null ? '' : `; would have caught ${formatShare(detectable)} errors`;
  return `${seen}${needed}${caught}`;
}

/** What a person can type about a paused rollout, one command each. */
export function waysOn({
  paused,
  id,
  phase,
}: Pick<RolloutView, 'paused' | 'id' | 'phase'>): { command: string; means: string }[] {
  const abort = { command: `evenkeel abort ${id}`, means: 'take it back' };
  switch (paused?.reason) {
    case undefined:
      return [];
    case 'approval':
      return [
        { command: `evenkeel approve ${id}`, means: 'let it have all traffic' },
        { command: `evenkeel reject ${id}`, means: 'take it back' },
      ];
    case 'inconclusive':
      return [
        { command: `evenkeel promote ${id}`, means: 'go on without a verdict' },
        { command: `evenkeel resume ${id}`, means: 'give this step its time again' },
        abort,
      ];
    case 'contract':
    case 'unknown-job':
      return [
        { command: `evenkeel resume ${id}`, means: 'run the job again' },
        { command: `evenkeel promote ${id}`, means: 'go on as if it had succeeded' },
        phase === 'contracting' ? { ...abort, means: 'leave it' } : abort,
      ];
    default:
      return [{ command: `evenkeel resume ${id}`, means: 'go on' }, abort];
  }
}

/** What is to be said about certificates that are not there yet; those that were refused are also among the concerns. */
export const comingCertificates = (
  { tls }: Pick<StatusReply['environments'][number], 'tls'>,
  { refused }: { refused: boolean },
): string[] =>
  (tls?.issuing ?? []).flatMap(({ state, detail }) =>
    state === 'valid' || (state === 'failing' && !refused) ? [] : detail,
  );
