import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import { formatDuration, formatPercent, formatTimeLeft } from '../../../src/lib/format.ts';
import styles from './TrafficSplit.module.css';

/** Who gets how much of the traffic, and how far that is to go. */
export function TrafficSplit({ rollout, now }: { rollout: RolloutView; now: number }) {
  const { canary, services, phase, end, nextAt, paused } = rollout;
  const routed = services.filter(({ kind }) => kind !== 'worker');
  if (routed.length === 0) return null;
  const { weight } = canary;
  const fresh = routed.map(({ to }) => to).join(', ');
  const former = routed.flatMap(({ from }) => (from === null ? [] : [from])).join(', ');
  const left = nextAt === null || paused !== null ? null : formatTimeLeft(nextAt - now);
  return (
    <section className="panel" aria-label="Traffic">
      <header>
        <h2>Traffic</h2>
        <span className="muted figure">{whatIsNext(rollout, left)}</span>
      </header>
      <div className={styles['body']}>
        <div className={styles['ends']}>
          <span>
            <span className={`${styles['key']} ${styles['baseline']}`} aria-hidden="true" />
            {former === '' ? <span className="muted">no former release</span> : <span className="mono">{former}</span>}
            <strong className={styles['share']}>{former === '' ? '–' : formatPercent(100 - weight)}</strong>
          </span>
          <span>
            <strong className={styles['share']}>{formatPercent(weight)}</strong>
            <span className="mono">{fresh}</span>
            <span className={`${styles['key']} ${styles['canary']}`} aria-hidden="true" />
          </span>
        </div>
        <div
          className={styles['bar']}
          role="img"
          aria-label={`${formatPercent(weight)} of ${canary.of ?? 'sessions'} go to ${fresh}`}
        >
          <div className={styles['canaryBar']} style={{ width: `${weight}%` }} />
        </div>
        {canary.steps.length > 0 && former !== '' && (
          <ol className={styles['steps']} aria-label="Steps of the canary">
            {canary.steps.map((step, index) => {
              const state =
                end !== null || phase !== 'canary'
                  ? weight >= step.weight
                    ? 'past'
                    : 'later'
                  : index < canary.step
                    ? 'past'
                    : index === canary.step
                      ? 'present'
                      : 'later';
              return (
                <li
                  key={`${step.weight} ${index}`}
                  className={styles[state]}
                  aria-current={state === 'present' ? 'step' : undefined}
                >
                  {formatPercent(step.weight)} <span className="muted">for {formatDuration(step.forMs)}</span>
                </li>
              );
            })}
            <li className={weight === 100 ? styles['past'] : styles['later']}>100 %</li>
          </ol>
        )}
      </div>
    </section>
  );
}

function whatIsNext({ phase, end, paused, canary, services }: RolloutView, left: string | null): string {
  if (end === 'complete') return 'all traffic, for good';
  if (end !== null) return 'taken back';
  if (paused !== null) return 'paused: the clock stands still';
  if (phase === 'canary')
    return `step ${Math.min(canary.step + 1, canary.steps.length)} of ${canary.steps.length}${left === null ? '' : `, ${left} left`}`;
  if (phase === 'watching') {
    const window = services.every(({ from }) => from === null) ? 'watched' : 'rollback window open';
    return left === null ? window : `${window}, ${left} left`;
  }
  return canary.weight === 0 ? 'no traffic until it is verified' : '';
}
