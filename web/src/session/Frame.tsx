import type { ReactNode } from 'react';
import { Keel } from '../shell/Keel.tsx';
import styles from './SignIn.module.css';

/** The one panel of a page on which nobody is known yet. */
export function Frame({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles['frame']}>
      <p className={styles['brand']}>
        <Keel />
        <span>evenkeel</span>
      </p>
      <div className={`panel ${styles['panel']}`}>
        <h1>{title}</h1>
        {children}
      </div>
    </div>
  );
}
