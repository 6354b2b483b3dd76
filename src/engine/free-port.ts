import { EvenkeelError } from '../ports/errors.ts';
import type { EngineDeps } from './deps.ts';

const TRIES = 200;

/** A free loopback port that is not in `taken`, and is from now on. Throws EvenkeelError `no-free-port`. */
export async function freePort(deps: Pick<EngineDeps, 'runtime'>, taken: Set<number>): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = await deps.runtime.allocatePort();
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
  throw new EvenkeelError({
    code: 'no-free-port',
    what: 'no free loopback port was found for a service',
    next: 'stop programs that listen on many ports, then try again',
    retryable: true,
    exit: 2,
  });
}
