import { useSyncExternalStore } from 'react';

/** Whether the command bar is open, and with which words in it; null: it is closed. */
let words: string | null = null;
const listeners = new Set<() => void>();

function set(next: string | null): void {
  words = next;
  for (const listener of listeners) listener();
}

/** Opens the command bar. */
export const find = (text = ''): void => set(text);
export const stopFinding = (): void => set(null);
export const isFinding = (): boolean => words !== null;

export const useFinding = (): string | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => words,
  );
