import styles from './State.module.css';

export type Level = 'healthy' | 'warning' | 'critical' | 'unknown' | 'stopped' | 'going';

/** A state by shape, colour and word: never by colour alone. */
export function State({ level, children, quiet = false }: { level: Level; children: string; quiet?: boolean }) {
  return (
    <span className={`${styles['state']} ${styles[level]}`}>
      <Mark level={level} />
      <span className={quiet ? 'hidden' : undefined}>{children}</span>
    </span>
  );
}

export function Mark({ level }: { level: Level }) {
  return (
    <svg className={`${styles['mark']} ${styles[level]}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[level]}
    </svg>
  );
}

const SHAPES: Record<Level, React.ReactNode> = {
  healthy: <circle cx="6" cy="6" r="4.2" fill="currentColor" />,
  warning: <path d="M6 1.2 11.4 10.8H.6z" fill="currentColor" />,
  critical: <path d="M1.6 1.6h8.8v8.8H1.6z" fill="currentColor" />,
  unknown: <circle cx="6" cy="6" r="3.9" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2 1.6" />,
  stopped: <circle cx="6" cy="6" r="3.9" fill="none" stroke="currentColor" strokeWidth="1.6" />,
  going: (
    <>
      <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.4" />
      <circle cx="6" cy="6" r="2" fill="currentColor" />
    </>
  ),
};
