import type { JournalView, RolloutView } from '../../../src/api/contract/rollouts.ts';
import { phaseSteps, type PhaseStep } from '../../../src/api/contract/reading/phase-steps.ts';
import { formatDuration } from '../../../src/lib/format.ts';
import { fullTime, timeOfDay } from '../ui/times.ts';
import styles from './PhaseLine.module.css';

const WORDS: Record<PhaseStep['state'], string> = {
  done: 'done',
  now: 'now',
  todo: 'to come',
  failed: 'ended here',
  paused: 'paused',
};

/** The phases in a line: what is over with its time, where it is, what is to come. */
export function PhaseLine({
  rollout,
  entries,
  now,
}: {
  rollout: RolloutView;
  entries: readonly JournalView[];
  now: number;
}) {
  return (
    <ol className={styles['line']} aria-label="Phases">
      {phaseSteps(rollout, entries, now).map(({ phase, name, state, at, ms }) => (
        <li
          key={phase}
          className={`${styles['step']} ${styles[state]}`}
          aria-current={state === 'now' || state === 'paused' ? 'step' : undefined}
        >
          <span className={styles['mark']} aria-hidden="true">
            <svg viewBox="0 0 16 16" width="16" height="16">
              {SHAPES[state]}
            </svg>
          </span>
          <span className={styles['name']}>
            {name.slice(0, 1).toUpperCase() + name.slice(1)}
            <span className="hidden">, {WORDS[state]}</span>
          </span>
          <span className={styles['time']} title={at === null ? undefined : fullTime(at)}>
            {ms === null
              ? state === 'todo'
                ? ' '
                : '–'
              : formatDuration(ms < 1000 ? ms : Math.floor(ms / 1000) * 1000)}
            {at !== null && <span className={styles['at']}>{timeOfDay(at)}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

const SHAPES: Record<PhaseStep['state'], React.ReactNode> = {
  done: (
    <>
      <circle cx="8" cy="8" r="8" fill="currentColor" />
      <path
        d="m4.5 8.2 2.4 2.4 4.6-5"
        fill="none"
        stroke="var(--surface)"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  now: (
    <>
      <circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" strokeWidth="2" />
      <circle cx="8" cy="8" r="3" fill="currentColor" />
    </>
  ),
  todo: <circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  failed: (
    <>
      <circle cx="8" cy="8" r="8" fill="currentColor" />
      <path d="m5 5 6 6m0-6-6 6" stroke="var(--surface)" strokeWidth="1.8" strokeLinecap="round" />
    </>
  ),
  paused: (
    <>
      <circle cx="8" cy="8" r="8" fill="currentColor" />
      <path d="M6.2 5v6m3.6-6v6" stroke="var(--surface)" strokeWidth="1.8" strokeLinecap="round" />
    </>
  ),
};
