import type { World } from '../core/world.ts';
import type { Found } from './router.ts';

/**
 * Whether what a path names is of this API, for paths that several APIs have: their operations (which say in their
 * metadata whose they are), and projects, which are looked up at the newest.
 */
export function holdsOperation({ route, path, api }: Found, world: World): boolean {
  if (!/\.operations\.(get|cancel|delete|wait)$/.test(route.method.id)) return true;
  const name = path['name'] ?? path['operation'];
  if (name === undefined) return true;
  const row = world.operations.find(world.projects.normal(name));
  const owner = row?.['api'];
  return row !== undefined && (owner === undefined || owner === api.document.split('.')[0]);
}
