import type { Change } from '../../domain/cloud/plan.ts';
import { addressOf, type Address, type Observed } from '../../domain/cloud/resource.ts';
import type { Cloud } from '../../ports/cloud.ts';
import { runTasks, type RunOptions, type Task, type TaskOutcome } from './tasks.ts';

/** Providers count requests for each minute, and a person reads along: more at once is not faster. */
export const AT_ONCE = 8;

/** What came of it, with each resource as the provider described it after the change. */
export interface Applied extends TaskOutcome {
  results: Map<Address, Observed>;
}

/**
 * Carries changes out, in the order of what needs what and otherwise at once. Run again after whatever ended it, with what
 * is observed then, it goes on: nothing is remembered.
 */
export async function apply(
  cloud: Pick<Cloud, 'create' | 'update' | 'remove'>,
  changes: readonly Change[],
  options: Omit<RunOptions, 'atOnce'> & { atOnce?: number },
): Promise<Applied> {
  const results = new Map<Address, Observed>();
  const tasks = changes.map((change): Task => {
    const { action: act, desired } = change;
    const address = addressOf(desired);
    return {
      address,
      act,
      after: desired.needs,
      async run(progress, signal) {
        results.set(address, await carryOut(cloud, change, progress, signal));
      },
    };
  });
  return { ...(await runTasks(tasks, { atOnce: AT_ONCE, ...options })), results };
}

async function carryOut(
  cloud: Pick<Cloud, 'create' | 'update' | 'remove'>,
  change: Change,
  progress: Parameters<Task['run']>[0],
  signal: AbortSignal,
): Promise<Observed> {
  const { action, desired, observed } = change;
  if (action === 'create') return cloud.create(desired, progress, signal);
  if (action === 'update') return cloud.update(desired, observed, progress, signal);
  await cloud.remove(observed, progress, signal);
  // Past this point the resource is gone: whoever interrupts gets it back by running the same again.
  return cloud.create(desired, progress, signal);
}
