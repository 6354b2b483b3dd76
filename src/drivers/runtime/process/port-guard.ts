import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../../../platform/process/spawn.ts';
import { PORT_RANGE } from './ports.ts';

/** Which ports of this machine's services a user may connect to. */
export interface Allowed {
  uid: number;
  ports: readonly number[];
}

/**
 * Keeps the services of other users from each other's ports: of the range from which instances and internal addresses
 * come, each user reaches the ports that it was told of, and no other. By nftables; connections that are open stay.
 */
export interface PortGuard {
  /** Adds to what is allowed, and puts the rules in force if they are not (a firewall was loaded anew). Why not, or null. */
  allow(allowed: readonly Allowed[]): Promise<string | null>;
  /** What was given back may belong to somebody else next. */
  forget(allowed: Allowed): Promise<void>;
}

export const GUARD_TABLE = 'evenkeel';

const REMOVALS = 5;
/** ms, once more with each try. */
const REMOVAL_PAUSE = 50;
const GONE = /no such file|does not exist|there is no nft/i;

export function portGuard(table: string = GUARD_TABLE): PortGuard {
  const name = `inet ${table}`;
  const run = async (script: string): Promise<string | null> => {
    try {
      const { code, stderr } = await runCommand(['nft', '-f', '-'], { input: script, timeout: 10_000 });
      return code === 0 ? null : (stderr.trim().split('\n')[0] ?? `nft ended with ${code}`);
    } catch {
      return 'there is no nft (nftables) here';
    }
  };
  /** The kernel may be busy with somebody else's rules: what stays allowed would be the next one's. */
  const remove = async (pair: string): Promise<void> => {
    for (let tries = 1; tries <= REMOVALS; tries++) {
      const why = await run(`delete element ${name} allowed { ${pair} }\n`);
      if (why === null || GONE.test(why)) return;
      await sleep(REMOVAL_PAUSE * tries);
    }
  };
  return {
    async allow(allowed) {
      if (allowed.length === 0) return null;
      const pairs = pairsOf(allowed);
      // One transaction: the old rule holds until the new one does, and twice is as good as once.
      return run(`add table ${name}
add set ${name} guests { type uid; }
add set ${name} allowed { type uid . inet_service; }
add chain ${name} out { type filter hook output priority 0; }
flush chain ${name} out
add rule ${name} out oifname "lo" meta skuid @guests tcp dport ${PORT_RANGE.first}-${PORT_RANGE.last} tcp flags & (syn|ack) == syn meta skuid . tcp dport != @allowed reject with tcp reset
add element ${name} guests { ${[...new Set(allowed.map(({ uid }) => uid))].join(', ')} }
${pairs === '' ? '' : `add element ${name} allowed { ${pairs} }\n`}`);
    },
    async forget(allowed) {
      // Each for itself: one that is gone already must not keep the others.
      for (const port of allowed.ports) await remove(pairsOf([{ ...allowed, ports: [port] }]));
    },
  };
}

const pairsOf = (allowed: readonly Allowed[]): string =>
  [...new Set(allowed.flatMap(({ uid, ports }) => ports.map((port) => `${uid} . ${port}`)))].join(', ');

/** Why ports cannot be kept apart here; null when they can. Changes nothing. */
export async function whyNoPortGuard(): Promise<string | null> {
  try {
    const { code, stderr } = await runCommand(['nft', 'list', 'tables'], { timeout: 10_000 });
    return code === 0 ? null : (stderr.trim().split('\n')[0] ?? `nft ended with ${code}`);
  } catch {
    return 'there is no nft (nftables)';
  }
}
