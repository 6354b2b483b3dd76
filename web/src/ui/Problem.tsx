import { Button } from '@mantine/core';
import { asProblem } from '../api/problem-error.ts';
import { Mark } from './State.tsx';
import styles from './Problem.module.css';

/** An error as evenkeel tells it everywhere: what, where, why, what next, and its code. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const { code, message, where, why, next } = asProblem(error);
  return (
    <div className={styles['problem']} role="alert">
      <p className={styles['what']}>
        <Mark level="critical" />
        <strong>{sentence(message)}</strong>
        <code className="muted">{code}</code>
      </p>
      {where !== null && <p className="muted">Where: {where}</p>}
      {why !== null && <p>{sentence(why)}</p>}
      {next !== null && <p>Next: {next}</p>}
      {retry !== undefined && (
        <p>
          <Button variant="default" size="xs" onClick={retry}>
            Try again
          </Button>
        </p>
      )}
    </div>
  );
}

export const sentence = (text: string): string => {
  // The name of a release is written as it is.
  const first = /^\S+@\d/.test(text) ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
};
