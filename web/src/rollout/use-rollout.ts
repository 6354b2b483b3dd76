import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { JournalView, RolloutEvent, RolloutView } from '../../../src/api/contract/rollouts.ts';
import { api } from '../api/client.ts';
import { resumed } from '../api/resumed.ts';

export interface OutputLine {
  job: string;
  service: string;
  line: string;
}

/** What is known of a rollout from its events so far. */
export interface Followed {
  rollout: RolloutView | null;
  entries: readonly JournalView[];
  output: readonly OutputLine[];
  /** It was refused for good: there is no such rollout, or one may not see it. */
  error: unknown;
}

const NOTHING: Followed = { rollout: null, entries: [], output: [], error: null };

const KEPT_LINES = 5_000;
/** A build may write a thousand lines a second; nobody reads them one by one. */
const DRAW_EVERY_MS = 100;

/** A rollout as it happens, through cut connections and restarts of the controller. */
export function useRollout(id: string): Followed {
  const queries = useQueryClient();
  const [followed, setFollowed] = useState<Followed>(() => queries.getQueryData<Followed>(['rollout', id]) ?? NOTHING);

  useEffect(() => {
    const gone = new AbortController();
    // After a restart of the controller output is told again from its beginning.
    let now: Followed = NOTHING;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let fresh: OutputLine[] = [];
    const draw = (): void => {
      timer = null;
      now = { ...now, output: [...now.output, ...fresh].slice(-KEPT_LINES) };
      fresh = [];
      setFollowed(now);
      queries.setQueryData(['rollout', id], now);
    };
    const later = (): void => {
      timer ??= setTimeout(draw, DRAW_EVERY_MS);
    };
    void resumed<RolloutEvent>({
      open: (options) => {
        now = { ...now, output: [] };
        fresh = [];
        return api.followRollout({ rollout: id }, options);
      },
      onEvent: (event) => {
        if (event.type === 'output') fresh.push(event);
        else if (event.type === 'rollout') now = { ...now, rollout: event.rollout };
        // After a resumption some are told again.
        else if (event.entry.seq > (now.entries.at(-1)?.seq ?? 0))
          now = { ...now, entries: [...now.entries, event.entry] };
        later();
      },
      over: () => now.rollout !== null && now.rollout.end !== null && now.rollout.settled,
      signal: gone.signal,
    }).catch((error: unknown) => {
      now = { ...now, error };
      later();
    });
    return () => {
      gone.abort();
      if (timer !== null) clearTimeout(timer);
    };
  }, [id, queries]);

  return followed;
}
