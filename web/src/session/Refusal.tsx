import { useState } from 'react';
import { asProblem } from '../api/problem-error.ts';
import { useNow } from '../ui/clock.ts';
import { Problem } from '../ui/Problem.tsx';

/** Why one was not let in, and for how many seconds more one has to wait. */
export function Refusal({ error, wait }: { error: unknown; wait: number }) {
  if (error === null || error === undefined) return null;
  return (
    <>
      <Problem error={error} />
      {wait > 0 && (
        <p role="timer">
          You can try again in {wait} {wait === 1 ? 'second' : 'seconds'}.
        </p>
      )}
    </>
  );
}

/** Whole seconds until one may try again; 0: at once. */
export function useWait(error: unknown): number {
  const now = useNow();
  const [seen, setSeen] = useState<{ error: unknown; until: number }>({ error: null, until: 0 });
  if (seen.error !== error) {
    const seconds = secondsIn(error);
    // The clock is a second old at most: what may be tried at once must not wait for it.
    setSeen({ error, until: seconds === 0 ? 0 : Date.now() + seconds * 1_000 });
  }
  return Math.max(0, Math.ceil((seen.until - now) / 1_000));
}

/** What the controller says of it is told in words, as it is in a terminal. */
function secondsIn(error: unknown): number {
  const { code, next } = asProblem(error ?? new Error('none'));
  if (code !== 'sign-in-limited' && code !== 'too-many-requests') return 0;
  return Number(/ in (\d+) s/.exec(next ?? '')?.[1] ?? 0);
}
