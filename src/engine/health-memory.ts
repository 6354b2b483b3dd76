import type { CopyHealth } from '../domain/instance/supervise.ts';
import type { EdgeInstanceHealth } from '../domain/traffic/protocol.ts';

/**
 * Since when each instance is as healthy as it is. Kept in memory only: after a restart of the controller the clock of
 * an unhealthy instance begins again, which delays a restart of it and loses nothing.
 */
export class HealthMemory {
  readonly #known = new Map<string, CopyHealth>();
  #first = true;

  /** Takes in what the edge sees now; instances that it does not name are forgotten. */
  update(seen: EdgeInstanceHealth[], now: number): void {
    const names = new Set(seen.map((each) => each.id));
    for (const id of this.#known.keys()) if (!names.has(id)) this.#known.delete(id);
    const first = this.#first;
    this.#first = false;
    for (const each of seen) {
      const before = this.#known.get(each.id);
      // Once in a row may be luck; the edge calls it healthy after two.
      const healthy = each.healthy && each.checks > 0;
      this.#known.set(each.id, {
        healthy,
        since: before !== undefined && before.healthy === healthy ? Math.min(before.since, now) : now,
        // A controller that has just come back cannot know, and must not hold against a release what it has not seen.
        everHealthy: healthy || (before?.everHealthy ?? first),
        lastError: each.lastError,
      });
    }
  }

  of(id: string): CopyHealth | null {
    return this.#known.get(id) ?? null;
  }
}
