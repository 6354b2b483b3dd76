import { metricValue, metricWords, shownMetrics } from '../../../src/api/contract/reading/verdict-words.ts';
import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import type { VerdictView } from '../../../src/api/contract/verdict.ts';
import { formatCount, formatLatency, formatShare, plural } from '../../../src/lib/format.ts';
import { type Level, Mark, State } from '../ui/State.tsx';
import { later } from '../ui/later.tsx';
import { sentence } from '../ui/Problem.tsx';
import { useSamples } from './use-samples.ts';
import styles from './Judgement.module.css';

const Trend = later(() => import('./Trend.tsx').then((module) => module.Trend), 120);

type Metric = VerdictView['metrics'][number];

const VERDICTS: Record<VerdictView['verdict'], Level> = {
  pass: 'healthy',
  fail: 'critical',
  inconclusive: 'unknown',
  error: 'warning',
};

/** Canary against baseline, live: the numbers, how many were seen and are needed, and what follows with its reason. */
export function Judgement({ rollout }: { rollout: RolloutView }) {
  const judged = rollout.services.flatMap(({ service, verdict }) => (verdict === null ? [] : [{ service, verdict }]));
  if (judged.length === 0) return null;
  return judged.map(({ service, verdict }) => (
    <Judged key={service} service={service} verdict={verdict} several={judged.length > 1} />
  ));
}

function Judged({ service, verdict, several }: { service: string; verdict: VerdictView; several: boolean }) {
  return (
    <section className="panel" aria-label={`Analysis of ${service}`}>
      <header>
        <h2>Analysis{several ? ` of ${service}` : ''}</h2>
        <State level={VERDICTS[verdict.verdict]}>{verdict.verdict}</State>
        <span className="muted">{sentence(verdict.reason)}</span>
      </header>
      <Seen verdict={verdict} />
      <MetricTable verdict={verdict} />
      <Trends verdict={verdict} />
    </section>
  );
}

/** Curves, once there is something of a curve. */
function Trends({ verdict }: { verdict: VerdictView }) {
  const { rate, ms } = useSamples(verdict);
  if (Math.max(rate.length, ms.length) < 3) return null;
  const limitOf = (unit: Metric['unit']): number | null =>
    verdict.metrics.find((each) => each.unit === unit)?.limit ?? null;
  return (
    <div className={styles['trends']}>
      <Trend name="Error rate" samples={rate} limit={limitOf('rate')} format={formatShare} />
      <Trend name="p95" samples={ms} limit={limitOf('ms')} format={formatLatency} />
    </div>
  );
}

/** How much evidence there is, and how much more is needed. */
function Seen({ verdict }: { verdict: VerdictView }) {
  const { canaryRequests, baselineRequests, neededRequests, detectable, test } = verdict;
  const needed = neededRequests ?? 0;
  const share = canaryRequests + needed === 0 ? 0 : canaryRequests / (canaryRequests + needed);
  return (
    <div className={styles['seen']}>
      <div className={styles['counts']}>
        <Count value={canaryRequests} name={test === 'window' ? 'requests seen' : 'canary requests seen'} />
        {test !== 'window' && <Count value={baselineRequests} name="of the baseline" />}
        {needed > 0 && <Count value={needed} name="more needed, about" />}
        {detectable !== null && (
          <span className={styles['count']}>
            <strong>{formatShare(detectable)}</strong>
            <span className="muted">error rate would have been caught</span>
          </span>
        )}
      </div>
      <div
        className={styles['progress']}
        role="img"
        aria-label={`${plural(canaryRequests, 'request')} of about ${formatCount(canaryRequests + needed)} that a verdict needs`}
      >
        <div style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

function Count({ value, name }: { value: number; name: string }) {
  return (
    <span className={styles['count']}>
      <strong>{formatCount(value)}</strong>
      <span className="muted">{name}</span>
    </span>
  );
}

function MetricTable({ verdict }: { verdict: VerdictView }) {
  const window = verdict.test === 'window';
  const metrics = shownMetrics(verdict);
  if (metrics.length === 0) return null;
  return (
    <table className={styles['table']}>
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col" className="num">
            {window ? 'Now' : 'Canary'}
          </th>
          {!window && (
            <th scope="col" className="num">
              Baseline
            </th>
          )}
          <th scope="col" className="num">
            Limit
          </th>
          <th scope="col" className={styles['evidence']}>
            Evidence against it
          </th>
        </tr>
      </thead>
      <tbody>
        {metrics.map((metric) => (
          <tr key={metric.metric}>
            <th scope="row">{metric.metric}</th>
            <td className="num">
              <strong>{valueOf(metric.unit, metric.canary)}</strong>
              <Range unit={metric.unit} range={metric.canaryRange} />
            </td>
            {!window && (
              <td className="num">
                {valueOf(metric.unit, metric.baseline)}
                <Range unit={metric.unit} range={metric.baselineRange} />
              </td>
            )}
            <td className="num muted">{valueOf(metric.unit, metric.limit)}</td>
            <td className={styles['evidence']}>
              <Evidence metric={metric} test={verdict.test} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How uncertain a value is, of so few requests. */
function Range({ unit, range }: { unit: Metric['unit']; range: Metric['canaryRange'] | undefined }) {
  if (range === null || range === undefined) return null;
  const { low, high } = range;
  return (
    <span className={styles['range']} title="where it may well be, 19 times of 20">
      {valueOf(unit, low)} to {valueOf(unit, high)}
    </span>
  );
}

function Evidence({ metric, test }: { metric: Metric; test: VerdictView['test'] }) {
  const level = levelOf(metric);
  const words = metricWords(metric, test);
  const progress = Math.min(1, Math.max(0, metric.progress));
  return (
    <span className={styles['gauge']}>
      <span
        className={styles['track']}
        role="meter"
        aria-label={`Evidence against ${metric.metric}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(progress * 100)}
      >
        <span className={styles[level]} style={{ width: `${progress * 100}%` }} />
      </span>
      <span className={styles['words']}>
        <Mark level={level} /> {words}
      </span>
    </span>
  );
}

function levelOf({ state, canary }: Metric): Level {
  switch (state) {
    case 'ok':
      return canary === null ? 'unknown' : 'healthy';
    case 'warn':
    case 'hold':
      return 'warning';
    case 'fail':
      return 'critical';
  }
}

const valueOf = (unit: Metric['unit'], value: number | null): string => metricValue(unit, value) ?? '–';
