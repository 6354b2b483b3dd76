import { useSyncExternalStore } from 'react';

/** Whether the controller answers, from what became of the latest requests. */
export interface Connection {
  readonly state: 'connecting' | 'connected' | 'away' | 'unknown-to-it';
  /** When it last answered, ms since 1970; null: never in this tab. */
  readonly heardAt: number | null;
  /** Since when it has not. */
  readonly awaySince: number | null;
  readonly why: string | null;
}

let now: Connection = { state: 'connecting', heardAt: null, awaySince: null, why: null };
const listeners = new Set<() => void>();

function become(next: Connection): void {
  const changed = next.state !== now.state || next.why !== now.why;
  now = next;
  // The time of the last answer alone is nothing to draw anew for: whoever shows an age has a clock.
  if (changed) for (const listener of listeners) listener();
}

export function heard(): void {
  become({ state: 'connected', heardAt: Date.now(), awaySince: null, why: null });
}

export function refusedIdentity(): void {
  become({ state: 'unknown-to-it', heardAt: Date.now(), awaySince: null, why: null });
}

export function notHeard(why: string): void {
  become({ state: 'away', heardAt: now.heardAt, awaySince: now.awaySince ?? Date.now(), why });
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tells of every other state; answers how to be told no more. */
export const onConnection = (tell: (connection: Connection) => void): (() => void) => listen(() => tell(now));

export const useConnection = (): Connection => useSyncExternalStore(listen, () => now);
