import { described, EvenkeelError } from '../ports/errors.ts';
import type { EngineDeps } from './deps.ts';

/**
 * One act of a look. What goes wrong with it is logged and tried again at the next look, and keeps nothing else of the
 * environment from being done: a build that cannot begin must not leave a crashed copy lying. Undefined: it failed.
 */
export async function attempt<T>(
  deps: Pick<EngineDeps, 'log'>,
  about: Record<string, unknown>,
  what: string,
  act: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const code = error instanceof EvenkeelError ? error.code : 'unexpected';
    const stack = error instanceof Error && !(error instanceof EvenkeelError) ? error.stack : undefined;
    deps.log.error({ ...about, code, stack }, `${what}: ${described(error)}`);
    return undefined;
  }
}
