import { formatBytes } from '../../lib/format.ts';
import { freeSpace } from '../../platform/free-space.ts';
import type { EvenkeelError } from '../../ports/errors.ts';
import { buildFailed } from './failure.ts';
import type { Workshop } from './workshop.ts';

/**
 * Why there is too little room to build; null when there is enough. What runs needs the rest: its state, its logs, its
 * data.
 */
export async function tooFull({
  folder,
  reserve,
}: Pick<Workshop, 'folder' | 'reserve'>): Promise<EvenkeelError | null> {
  if (reserve === 0) return null;
  const free = await freeSpace(folder);
  if (free === null || free >= reserve) return null;
  return buildFailed(
    `Only ${formatBytes(free)} are free on the disk of ${folder}, and ${formatBytes(reserve)} are kept for what runs.`,
    'Free some (`evenkeel doctor`; logs, data and old releases are there too), then deploy again.',
  );
}
