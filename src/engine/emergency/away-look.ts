import type { Scope } from '../../domain/project/scope.ts';
import type { EngineDeps } from '../deps.ts';
import { tick } from '../environment.ts';
import { EnvironmentMemory } from '../memory.ts';
import { ReleaseCache } from '../release-cache.ts';
import type { EnvironmentTools } from '../tools.ts';
import { Works } from '../works.ts';
import { awayStore } from './away-store.ts';

/** What looks without the store work with: nothing of it asks for the store, or for a permit. */
export function awayTools(given: EngineDeps): EnvironmentTools {
  const { lastKnown, unwritten, traffic } = given.emergency;
  const store = awayStore(lastKnown, unwritten);
  const deps: EngineDeps = { ...given, store, traffic };
  const nobody = (): void => undefined;
  return {
    deps,
    // Not what the loop remembers, which is of the store's own rollouts.
    memory: new EnvironmentMemory(),
    works: new Works(deps, nobody),
    releases: new ReleaseCache(store),
    wake: nobody,
  };
}

/**
 * A look at an environment while the store is away: what people asked to be taken back is decided from what was known
 * last, and the edge is told. Nothing is started, stopped, begun or written; that is done when the store is back.
 */
export async function lookWithoutStore(tools: EnvironmentTools, scope: Scope): Promise<void> {
  await tick(tools, scope, { trafficOnly: true });
}
