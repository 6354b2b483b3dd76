import { existsSync } from 'node:fs';
import { findDamage } from '../../store/sqlite/find-damage.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';

/** What is wrong with each database of the home; null for a sound one. Asked of the controller, whose files they are. */
export function checkDatabases(
  paths: Pick<EvenkeelPaths, 'store' | 'telemetry'>,
): { file: string; why: string | null }[] {
  return [paths.store, paths.telemetry]
    .filter((file) => existsSync(file))
    .map((file) => ({ file, why: findDamage(file) }));
}
