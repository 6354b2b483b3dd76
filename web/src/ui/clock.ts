import { useEffect, useState } from 'react';

/** The time, ms since 1970, once a second while somebody looks; for ages and what is left. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, everyMs);
    const shown = (): void => setNow(Date.now());
    document.addEventListener('visibilitychange', shown);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [everyMs]);
  return now;
}
