import { GoogleRefusal } from '../../../platform/google/refusal.ts';

/**
 * Things that Google names by itself, and people by what is shown: two may bear the same. Whoever makes one looks first,
 * and looks again afterwards: of several that were made at once the one with the least name of Google's stays.
 */
export async function madeOnce<T extends { name?: string }>(actions: {
  /** All with the name that is shown. */
  find(): Promise<T[]>;
  create(): Promise<T>;
  remove(extra: T): Promise<void>;
}): Promise<T> {
  const before = oldest(await actions.find());
  if (before !== null) return before;
  const made = await actions.create();
  const all = await actions.find();
  const stays = oldest(all) ?? made;
  for (const extra of all) {
    if (extra.name === stays.name || extra.name !== made.name) continue;
    await actions.remove(extra).catch((error: unknown) => {
      if (!(error instanceof GoogleRefusal && error.status === 404)) throw error;
    });
  }
  return stays;
}

const oldest = <T extends { name?: string }>(all: readonly T[]): T | null =>
  all.toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))[0] ?? null;
