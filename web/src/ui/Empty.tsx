import type { ReactNode } from 'react';
import styles from './Empty.module.css';

/** Nothing is there: why, and what to do next. `whole`: it is all that the page says. */
export function Empty({ title, whole = false, children }: { title: string; whole?: boolean; children: ReactNode }) {
  const Title = whole ? 'h1' : 'h2';
  return (
    <div className={styles['empty']}>
      <Title>{title}</Title>
      <div className="muted">{children}</div>
    </div>
  );
}

export function Command({ children }: { children: string }) {
  return <code className={styles['command']}>{children}</code>;
}
