import { formatTimeLeft } from '../../../src/lib/format.ts';
import { useConnection } from '../api/connection.ts';
import { useNow } from '../ui/clock.ts';
import { Mark } from '../ui/State.tsx';
import { timeOfDay } from '../ui/times.ts';
import styles from './ConnectionState.module.css';

/** A short hiccup is nobody's business. */
const QUIET_MS = 1_500;

/** In whole seconds, so that it counts evenly. */
const whole = (ms: number): string => formatTimeLeft(Math.max(1_000, Math.floor(ms / 1_000) * 1_000));

/** In the head: whether the controller answers. */
export function ConnectionMark() {
  const { state } = useConnection();
  const [level, word] =
    state === 'away'
      ? (['critical', 'away'] as const)
      : state === 'connecting'
        ? (['unknown', 'connecting'] as const)
        : (['healthy', 'live'] as const);
  return (
    <span className={styles['mark']} title={`The controller: ${word}`}>
      <Mark level={level} />
      <span className={styles['word']}>{word}</span>
    </span>
  );
}

/** While the controller is away: since when, and how old what is shown is. */
export function ConnectionBanner() {
  const { state, awaySince, heardAt, why } = useConnection();
  const now = useNow();
  const away = state === 'away' && awaySince !== null && now - awaySince > QUIET_MS;
  return (
    <div aria-live="polite">
      {away && (
        <div className={styles['banner']}>
          <Mark level="warning" />
          <span>
            <strong>The controller has not answered for {whole(now - awaySince)}</strong>
            {why === null ? '' : ` (${why})`}.{' '}
            {heardAt === null
              ? 'Nothing has been seen of it yet.'
              : `What you see is as of ${timeOfDay(heardAt)}, ${whole(now - heardAt)} ago.`}{' '}
            What runs goes on without it; it is asked again by itself.
          </span>
        </div>
      )}
    </div>
  );
}
