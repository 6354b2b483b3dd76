import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { benchEdge } from '../edge/bench.ts';
import { isInstalled } from '../edge/proxies.ts';
import type { Bench, Row } from './row.ts';

/** Programs to compare with, by the Debian package that has them. */
const PEERS: Readonly<Record<string, string>> = {
  wrk: 'wrk',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  caddy: 'caddy',
};

/** The edge beside other proxies, before the same origin, in interleaved runs. */
export async function edgeRows({ quick, say }: Bench): Promise<Row[]> {
  installPeers(say);
  const missing = Object.keys(PEERS).filter((each) => !isInstalled(each));
  if (missing.length > 0) say(`not installed here, so not compared with: ${missing.join(', ')}`);
  say(quick ? 'about a minute' : 'about five minutes');
  const rows = await benchEdge({ quick });
  return rows.map(({ what, budget, measured, met, figures }): Row => {
    const { evenkeel = null, ...peers } = figures;
    const throughput = what.includes('throughput');
    const p50 = what.includes('p50');
    const other = throughput ? peers['caddy'] : p50 ? peers['origin'] : peers['nginx'];
    const value = evenkeel === null || other === undefined ? null : p50 ? evenkeel - other : evenkeel / other;
    return {
      id: throughput ? 'edge-throughput' : p50 ? 'edge-p50' : 'edge-p99',
      what,
      budget,
      measured: value,
      unit: p50 ? 'ms' : 'x',
      ok: met,
      detail: `${measured}${missing.length === 0 ? '' : `; not installed here: ${missing.join(', ')}`}. All, in ${throughput ? 'requests/s' : 'ms'}: evenkeel ${evenkeel}`,
      figures,
      peers,
    };
  });
}

/**
 * Only as root, and only where no service manager would start what is installed: a server that suddenly listens on
 * port 80 is not what somebody expects of a bench.
 */
function installPeers(say: (text: string) => void): void {
  const missing = Object.entries(PEERS).filter(([command]) => !isInstalled(command));
  if (missing.length === 0 || !isInstalled('apt-get')) return;
  const packages = missing.map(([, name]) => name);
  if (process.getuid?.() !== 0 || existsSync('/run/systemd/system')) {
    say(`to compare with more: apt-get install --no-install-recommends ${packages.join(' ')}`);
    return;
  }
  say(`installing ${packages.join(', ')}`);
  try {
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { stdio: 'ignore' });
  } catch {
    say('that did not work; going on without');
  }
}
