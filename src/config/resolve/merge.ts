import { child, descend, overlay } from '../tree.ts';
import type { MapTree, Tree } from '../tree.ts';

/** Short forms that stand for a map with one key, so that the other keys can be laid over them. */
const SHORTHANDS: Record<string, string> = { health: 'path', static: 'dir' };

/**
 * What holds for a service in an environment. Later wins: the service, the environment's word for all services
 * (`rollout`, `env`, `objectives`), the environment's word for this service.
 */
export function mergeService(file: Tree, environment: string, name: string): Tree | undefined {
  const here = descend(file, ['environments', environment]);
  let merged = expand(descend(file, ['services', name]));
  for (const key of ['rollout', 'env', 'objectives']) {
    const shared = child(here, key);
    if (shared === undefined || merged?.kind !== 'map') continue;
    const entries = new Map(merged.entries);
    const value = overlay(entries.get(key)?.value, shared);
    if (value !== undefined) entries.set(key, { place: shared.place, value });
    merged = { ...merged, entries };
  }
  return overlay(merged, expand(descend(here, ['services', name])));
}

function expand(service: Tree | undefined): Tree | undefined {
  if (service?.kind !== 'map') return service;
  const entries = new Map(service.entries);
  for (const [key, inner] of Object.entries(SHORTHANDS)) {
    const entry = entries.get(key);
    if (entry?.value.kind !== 'scalar' || typeof entry.value.value !== 'string') continue;
    const { path, place } = entry.value;
    const value: MapTree = { kind: 'map', path, place, entries: new Map([[inner, entry]]) };
    entries.set(key, { place: entry.place, value });
  }
  return { ...service, entries };
}
