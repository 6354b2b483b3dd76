import { readFileSync } from 'node:fs';

const ESTABLISHED = '01';

/** How many connections are open at a local IPv4 port, as the kernel counts them: what a server says of itself is no proof. */
export function connectionsAt(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  return rows.filter((row) => {
    const [, local = '', , state] = row.trim().split(/\s+/);
    return local.endsWith(`:${hex}`) && state === ESTABLISHED;
  }).length;
}
