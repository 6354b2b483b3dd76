import { type Query, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ChangeEvent } from '../../../src/api/contract/changes.ts';
import { api } from './client.ts';
import { onConnection, useConnection } from './connection.ts';
import { resumed } from './resumed.ts';
import { touches } from './touched.ts';

/** What happens at once is asked for once. */
const TOGETHER_MS = 150;

/** What has changed since it was shown; of each key once, however much happens. */
interface Waiting {
  add(event: ChangeEvent): void;
  addFailed(): void;
  close(): void;
}

/**
 * Keeps what is shown as it is: follows what changes on the controller, one line for each tab, and asks again for what a
 * change touches. Nothing is asked for by the clock.
 */
export function useLive(): void {
  const queries = useQueryClient();
  const known = useConnection().state !== 'unknown-to-it';
  useEffect(() => {
    if (!known) return undefined;
    return follow(queries);
  }, [queries, known]);
}

function follow(queries: QueryClient): () => void {
  const waiting = asker(queries);
  const line = new AbortController();
  void resumed<ChangeEvent>({
    open: (options) => api.followChanges({}, options),
    letsGo: true,
    onEvent: (event) => waiting.add(event),
    over: () => false,
    signal: line.signal,
    // Too many follow already, say: what is shown stays, and the button that asks again works.
  }).catch(() => undefined);
  // What failed while the controller was away is not told again by it.
  const off = onConnection(({ state }) => {
    if (state === 'connected') waiting.addFailed();
  });
  return () => {
    off();
    line.abort();
    waiting.close();
  };
}

/** One round of questions after the other: what changes during one is asked for in the next, and no answer is cut off. */
function asker(queries: QueryClient): Waiting {
  let next = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const held = new Map<string, ReturnType<typeof setTimeout>>();
  let asking = false;
  let closed = false;

  const round = async (): Promise<void> => {
    timer = null;
    if (asking || closed || document.hidden) return;
    const now = next;
    next = new Set();
    asking = true;
    await queries.invalidateQueries({ predicate: ({ queryHash }) => now.has(queryHash) }).catch(() => undefined);
    asking = false;
    soon();
  };
  const soon = (): void => {
    if (next.size > 0 && !asking && !closed) timer ??= setTimeout(() => void round(), TOGETHER_MS);
  };
  const take = (wanted: (query: Query) => boolean): void => {
    for (const query of queries.getQueryCache().getAll()) if (wanted(query)) next.add(query.queryHash);
    soon();
  };
  /** Left out, it would be asked for by the event after the next: as late again as it may be. */
  const hold = ({ queryHash, state: { dataUpdatedAt } }: Query, forMs: number): void => {
    if (held.has(queryHash)) return;
    const over = (): void => {
      held.delete(queryHash);
      // Unless something else has had it asked for since.
      take((each) => each.queryHash === queryHash && each.state.dataUpdatedAt === dataUpdatedAt);
    };
    held.set(queryHash, setTimeout(over, forMs));
  };
  document.addEventListener('visibilitychange', soon);
  return {
    add: (event) =>
      take((query) => {
        if (!touches(event, query.queryKey)) return false;
        const forMs = event.type === 'metrics' ? holdsFor(query) : 0;
        if (forMs > 0) hold(query, forMs);
        return forMs <= 0;
      }),
    addFailed: () => take(({ state }) => state.fetchFailureCount > 0 || state.status === 'error'),
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      for (const each of held.values()) clearTimeout(each);
      document.removeEventListener('visibilitychange', soon);
    },
  };
}

/** A curve over a month is no other one ten seconds later: whoever asks says how long an answer holds. Here, ms of it that are left. */
const holdsFor = ({ state, meta }: Query): number =>
  typeof meta?.['holdsMs'] === 'number' ? state.dataUpdatedAt + meta['holdsMs'] - Date.now() : 0;
