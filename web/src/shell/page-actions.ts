import { useEffect, useSyncExternalStore } from 'react';
import type { Entry } from './entries.ts';

/** Actions of the page that is shown, for the command bar. */
let current: readonly Entry[] = [];
const listeners = new Set<() => void>();

function set(next: readonly Entry[]): void {
  current = next;
  for (const listener of listeners) listener();
}

/** Offers actions while the page is shown. Give the same array for the same actions. */
export function useOffer(actions: readonly Entry[]): void {
  useEffect(() => {
    set(actions);
    return () => set([]);
  }, [actions]);
}

export const usePageActions = (): readonly Entry[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
