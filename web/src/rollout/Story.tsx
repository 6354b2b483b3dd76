import type { JournalView } from '../../../src/api/contract/rollouts.ts';
import { sentence } from '../ui/Problem.tsx';
import { dateAndTime, fullTime, timeOfDay } from '../ui/times.ts';
import styles from './Story.module.css';

/** Every transition with its reason, and its numbers for who wants them. */
export function Story({ entries }: { entries: readonly JournalView[] }) {
  const [first] = entries;
  return (
    <section className="panel" aria-label="Story">
      <header>
        <h2>Story</h2>
        {first !== undefined && <span className="muted">since {dateAndTime(first.at)}</span>}
      </header>
      <ol className={styles['story']}>
        {entries.map(({ seq, at, from, to, reason, detail }) => (
          <li key={seq}>
            <time className={styles['at']} dateTime={new Date(at).toISOString()} title={fullTime(at)}>
              {timeOfDay(at)}
            </time>
            <span className={from === to ? styles['same'] : styles['to']}>{to}</span>
            <div className={styles['reason']}>
              {sentence(reason)}
              {Object.keys(detail).length > 0 && (
                <details>
                  <summary>Numbers</summary>
                  <pre tabIndex={0}>{JSON.stringify(detail, null, 2)}</pre>
                </details>
              )}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
