import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '../platform/atomic-file.ts';
import { lateBy } from '../ports/permit.ts';

/** The highest fence of a controller that acted in this home; 0 when none did. */
export function readFence(file: string): number {
  try {
    const fence = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(fence) ? fence : 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** From now on whoever has a lower fence is refused. Throws `not-acting` when somebody has a higher one by now. */
export async function raiseFence(file: string, fence: number): Promise<void> {
  const known = readFence(file);
  if (known > fence) throw lateBy(known, fence);
  if (known < fence) await writeFileAtomic(file, `${fence}\n`);
}
