import type { Scope } from '../../domain/project/scope.ts';
import type { Engine } from '../engine.ts';

/** What is under way, by environment. */
const turns = new WeakMap<Engine['deps'], Map<string, Promise<unknown>>>();

/**
 * Reads and writes the record of an environment while nobody else of this controller does: who reads it, thinks, and
 * writes it whole would else take back what was written meanwhile.
 */
export async function inTurn<T>({ deps }: Pick<Engine, 'deps'>, scope: Scope, work: () => Promise<T>): Promise<T> {
  const mine = turns.get(deps) ?? new Map<string, Promise<unknown>>();
  turns.set(deps, mine);
  const key = `${scope.project}/${scope.environment}`;
  const turn = (mine.get(key) ?? Promise.resolve()).then(work);
  const settled = turn.catch(() => undefined);
  mine.set(key, settled);
  try {
    return await turn;
  } finally {
    if (mine.get(key) === settled) mine.delete(key);
  }
}
