import { within } from '../../platform/within.ts';
import type { LiveInstance } from './instance.ts';

/** Looks at instances until each is healthy or has been found not to be, and no longer than `ms`. */
export function probeAll(instances: readonly LiveInstance[], ms: number): Promise<void> {
  const looks = instances.map(async ({ check }) => {
    while (!check.healthy && (await check.look()));
  });
  return within(ms, looks);
}
