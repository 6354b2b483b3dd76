import { isIP } from 'node:net';
import { EvenkeelError } from '../ports/errors.ts';

/**
 * Whether a `Host` is this server's. A page of a stranger can let its own name lead to this machine (DNS rebinding), and its
 * requests then look like those of the dashboard itself: same origin, same site. What it cannot do is to ask by an address,
 * or by a name that is not its own. `names`: those that the operator has given it, and the machine's.
 */
export function isOwnHost(host: string | undefined, names: readonly string[]): boolean {
  const name = hostName(host);
  if (name === null) return false;
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  return name === 'localhost' || name.endsWith('.localhost') || names.includes(name);
}

/** Without its port, in small letters; null: it is none. */
function hostName(host: string | undefined): string | null {
  const [, name] = /^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/i.exec(host ?? '') ?? [];
  return name?.toLowerCase().replace(/\.$/, '') ?? null;
}

export const misdirected = (host: string | undefined): EvenkeelError =>
  new EvenkeelError({
    code: 'host-unknown',
    what: `this server is not ${host === undefined || host === '' ? 'asked by a name' : host.slice(0, 200)}`,
    why: 'whoever owns a name could let it lead here, and ask in the place of whoever opens their page',
    next: 'open it by its address, or write `publicUrl: https://NAME` into sign-in.yaml and restart the server',
  });
