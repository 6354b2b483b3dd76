import { createServer } from 'node:net';
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
    if ((await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'))) return port;
  }
  throw new EvenkeelError({
    code: 'no-free-port',
    what: `no port between ${DEV_PORTS.first} and ${DEV_PORTS.last} is free`,
    next: 'stop what listens there',
    retryable: true,
    exit: 2,
  });
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Only a port in use counts: a machine without IPv6 has another error for ::1.
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'),
    );
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
