import { Problem } from './Problem.tsx';
import { useNow } from './clock.ts';
import { useState } from 'react';
import { unreachable } from '../api/problem-error.ts';
import styles from './PageSkeleton.module.css';

/** After this one says that something is wrong: nothing turns for ever. */
const TOO_LONG_MS = 20_000;

/** The place of what comes, in its shape. */
export function PageSkeleton() {
  const [since] = useState(() => Date.now());
  const now = useNow();
  if (now - since > TOO_LONG_MS)
    return <Problem error={unreachable('it has taken too long')} retry={() => location.reload()} />;
  return (
    <div className={styles['page']} role="status" aria-busy="true" aria-label="Loading">
      <div className={`${styles['bar']} ${styles['title']}`} />
      <div className={styles['tiles']}>
        {[1, 2, 3, 4].map((each) => (
          <div key={each} className={styles['tile']} />
        ))}
      </div>
      <div className={styles['block']} />
    </div>
  );
}
