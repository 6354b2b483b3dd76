import type { Release } from '../domain/release/release.ts';
import type { Store } from '../ports/store.ts';

/** Releases never change once they have an artifact, so the loop reads each of them once. */
export class ReleaseCache {
  readonly #known = new Map<string, Release>();
  readonly #store: Pick<Store, 'release'>;

  constructor(store: Pick<Store, 'release'>) {
    this.#store = store;
  }

  async load(project: string, ids: string[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => (this.#known.get(id)?.artifact ?? null) === null);
    for (const id of missing) {
      const release = await this.#store.release(project, id);
      if (release !== null) this.#known.set(id, release);
    }
  }

  /** Drops what nothing names any more. */
  keepOnly(ids: string[]): void {
    const named = new Set(ids);
    for (const id of this.#known.keys()) if (!named.has(id)) this.#known.delete(id);
  }

  readonly get = (id: string): Release | null => this.#known.get(id) ?? null;
}
