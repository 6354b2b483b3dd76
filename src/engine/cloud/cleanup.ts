import { addressOf, type Address, type Kind, type Observed } from '../../domain/cloud/resource.ts';
import type { Cloud } from '../../ports/cloud.ts';
import { AT_ONCE } from './apply.ts';
import { runTasks, type RunOptions, type Task, type TaskOutcome } from './tasks.ts';

/** What must be gone before one of this kind goes: what uses it. */
const USED_BY: Partial<Record<Kind, readonly Kind[]>> = {
  connector: ['service', 'job', 'sql-instance'],
  account: ['role', 'service', 'job'],
  repository: ['service', 'job'],
  bucket: ['service', 'job'],
  secret: ['service', 'job', 'sql-user'],
  'sql-user': ['service', 'job'],
  'sql-database': ['service', 'job', 'sql-user'],
  'sql-instance': ['service', 'job'],
  'uptime-check': ['alert-policy'],
  'alert-channel': ['alert-policy'],
};

/** Removes these, users before what they use, and APIs last of all. What is gone already counts as removed. */
export async function removeAll(
  cloud: Pick<Cloud, 'remove'>,
  resources: readonly Observed[],
  options: Omit<RunOptions, 'atOnce'> & { atOnce?: number },
): Promise<TaskOutcome> {
  const going = withoutParts(resources);
  const tasks = going.map((observed): Task => ({
    address: addressOf(observed),
    act: 'remove',
    after: usersOf(observed, going),
    run: (progress, signal) => cloud.remove(observed, progress, signal),
  }));
  return runTasks(tasks, { atOnce: AT_ONCE, ...options });
}

/** Databases and users go with their instance; asked to go beside it they would only stand in its way. */
export function withoutParts(resources: readonly Observed[]): Observed[] {
  const instances = new Set(resources.filter(({ kind }) => kind === 'sql-instance').map(({ name }) => name));
  return resources.filter(({ attributes }) => !('instance' in attributes) || !instances.has(attributes.instance));
}

function usersOf(observed: Observed, all: readonly Observed[]): Address[] {
  const kinds = USED_BY[observed.kind];
  return all.flatMap((other) => {
    if (other === observed) return [];
    const first = observed.kind === 'api' ? other.kind !== 'api' : (kinds?.includes(other.kind) ?? false);
    return first ? [addressOf(other)] : [];
  });
}

/** Starts or stops what can rest, all at once: nothing of it needs another. */
export async function setRunning(
  cloud: Pick<Cloud, 'setRunning'>,
  resources: readonly Observed[],
  running: boolean,
  options: Omit<RunOptions, 'atOnce'>,
): Promise<TaskOutcome> {
  const tasks = resources.map((observed): Task => ({
    address: addressOf(observed),
    act: running ? 'start' : 'stop',
    // A service that starts before its database answers would only fail its first requests.
    after: running && observed.kind === 'service' ? instancesIn(resources) : [],
    run: (progress, signal) => cloud.setRunning(observed, running, progress, signal),
  }));
  return runTasks(tasks, { atOnce: AT_ONCE, ...options });
}

const instancesIn = (resources: readonly Observed[]): Address[] =>
  resources.filter(({ kind }) => kind === 'sql-instance').map(addressOf);
