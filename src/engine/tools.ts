import type { EngineDeps } from './deps.ts';
import type { EnvironmentMemory } from './memory.ts';
import type { ReleaseCache } from './release-cache.ts';
import type { Works } from './works.ts';

/** What the loop of one environment works with. */
export interface EnvironmentTools {
  deps: EngineDeps;
  memory: EnvironmentMemory;
  works: Works;
  releases: ReleaseCache;
  /** Look again now. */
  wake: () => void;
}
