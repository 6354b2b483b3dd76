import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';

/** Refuses what could only wait for instances that are not wanted. */
export async function requireUp(
  deps: { store: Pick<EngineDeps['store'], 'environment'> },
  scope: { project: string; environment: string },
): Promise<void> {
  const record = await deps.store.environment(scope.project, scope.environment);
  if (record?.wanted !== 'down') return;
  throw new EvenkeelError({
    code: 'environment-down',
    what: `${scope.project} ${scope.environment} was brought down`,
    next: 'start it with `evenkeel up`, then try again',
  });
}
