import type { LiveInstance } from './instance.ts';

/** Looks at instances until each is healthy or has been found not to be, and no longer than `ms`. */
export async function probeAll(instances: readonly LiveInstance[], ms: number): Promise<void> {
  const looks = instances.map(async ({ check }) => {
    while (!check.healthy && (await check.look()));
  });
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(looks), enough]);
  clearTimeout(timer);
}
