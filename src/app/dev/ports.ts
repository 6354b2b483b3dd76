import { isPortFree } from '../../platform/port-free.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { DEV_PORTS, portsFrom } from './plan.ts';

/**
 * The ports that the services get: those they should have, where they are free. Only those in `here` are looked at: the
 * others may run in another terminal, and are asked there. Throws `no-free-port`.
 */
export async function freePorts(
  preferred: ReadonlyMap<string, number>,
  here: readonly string[],
): Promise<Map<string, number>> {
  const ports = new Map(preferred);
  for (const name of here) {
    const wanted = preferred.get(name);
    if (wanted === undefined) continue;
    const others = new Set([...ports].flatMap(([other, port]) => (other === name ? [] : [port])));
    const found = await firstFree(portsFrom(wanted).filter((port) => !others.has(port)));
    ports.set(name, found);
  }
  return ports;
}

async function firstFree(candidates: readonly number[]): Promise<number> {
  for (const port of candidates) {
    if (await isPortFree(port)) return port;
  }
  throw new EvenkeelError({
    code: 'no-free-port',
    what: `no port between ${DEV_PORTS.first} and ${DEV_PORTS.last} is free`,
    next: 'stop what listens there',
    retryable: true,
    exit: 2,
  });
}
