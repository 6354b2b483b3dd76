import { Link } from '@tanstack/react-router';
import type { UnderWay } from '../../../src/api/contract/overview.ts';
import { formatPercent, formatTimeLeft } from '../../../src/lib/format.ts';
import { Mark } from '../ui/State.tsx';
import { ago } from '../ui/times.ts';
import styles from './RolloutLine.module.css';

/** A rollout that is under way, in a line that leads to it. */
export function RolloutLine({ rollout, now }: { rollout: UnderWay; now: number }) {
  const { id, phase, paused, releases, weight, nextAt, createdAt, requestedBy } = rollout;
  const left = nextAt === null || paused !== null ? null : `${formatTimeLeft(nextAt - now)} left`;
  return (
    <Link
      to="/rollouts/$rollout"
      params={{ rollout: id }}
      className={`${styles['line']} ${paused === null ? '' : styles['paused']}`}
    >
      <Mark level={paused === null ? 'going' : 'warning'} />
      <strong className="mono">{releases.join(', ') || id}</strong>
      <span>{paused === null ? phase : `paused in ${phase}: ${paused.detail}`}</span>
      {weight > 0 && <span className="figure">{formatPercent(weight)} of the traffic</span>}
      {left !== null && <span className="muted figure">{left}</span>}
      <span className={styles['begun']}>
        begun {ago(createdAt, now)} by {requestedBy}
      </span>
    </Link>
  );
}
