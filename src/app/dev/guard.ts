import { spawnNode } from '../../platform/child.ts';
import { moduleFile } from '../../platform/entry.ts';
import { EvenkeelError } from '../../ports/errors.ts';

/**
 * Starts the process that ends everything of this run, should this one die without having done so. Resolves when it is
 * on guard; `dismiss` lets it look once more, and resolves when it is gone. Throws `dev-guard`.
 */
export async function startGuard(
  mark: string,
  { graceMs, env }: { graceMs: number; env: NodeJS.ProcessEnv },
): Promise<{ dismiss(): Promise<void> }> {
  const guard = await spawnNode<{ type: 'ready' }, { type: 'dismiss' }>({
    entry: moduleFile('app/dev/guard-main'),
    args: [mark, String(graceMs)],
    env,
    nodeOptions: ['--max-old-space-size=32', '--max-semi-space-size=1'],
  });
  const ready = new Promise<'ready'>((resolve) => guard.onMessage(() => resolve('ready')));
  const first = await Promise.race([ready, guard.exited]);
  if (first !== 'ready') {
    throw new EvenkeelError({
      code: 'dev-guard',
      what: 'the process that would end the services, should this one be killed, could not be started',
      why: `it ended with ${first.signal ?? `code ${first.code}`}`,
      next: 'look at free memory and the limit of processes, then try again',
      retryable: true,
      exit: 2,
    });
  }
  return {
    async dismiss() {
      guard.send({ type: 'dismiss' });
      await guard.exited;
    },
  };
}
