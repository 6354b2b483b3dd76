import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latencies, median, throughput } from './measure.ts';
import type { Latencies } from './measure.ts';
import type { Running } from './proxies.ts';
import { isInstalled, startOrigin, startProxies } from './proxies.ts';

/** One line of the budget table. */
export interface BenchRow {
  readonly what: string;
  readonly budget: string;
  readonly measured: string;
  /** Null when what it is compared with is not installed. */
  readonly met: boolean | null;
  /** The figures behind it, by proxy. */
  readonly figures: Readonly<Record<string, number>>;
}

const RATE = 2_000;

/**
 * Measures the edge beside nginx, HAProxy and Caddy (those installed), each with one worker, before the same origin, in
 * interleaved runs: the machine's moods then meet all alike. The edge runs as in a canary: split sessions, evidence.
 */
export async function benchEdge({ quick }: { quick: boolean }): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
  const started: Running[] = [];
  try {
    const origin = await startOrigin();
    started.push(origin);
    const proxies = await startProxies(folder, origin.port, started);
    return [
      ...(isInstalled('wrk') ? await throughputRows(proxies, quick) : []),
      ...(await latencyRows([origin, ...proxies], quick)),
    ];
  } finally {
    await Promise.all(started.map((each) => each.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function throughputRows(proxies: readonly Running[], quick: boolean): Promise<BenchRow[]> {
  const rounds = quick ? 2 : 5;
  const all = new Map<string, number[]>(proxies.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, port } of proxies) {
      const perSecond = await throughput(port, quick || round === 0 ? 2 : 5);
      if (round > 0) all.get(name)?.push(perSecond); // the first round warms up
    }
  }
  const figures = Object.fromEntries([...all].map(([name, values]) => [name, Math.round(median(values))]));
  const { evenkeel = Number.NaN, caddy, haproxy } = figures;
  const ofHaproxy = haproxy === undefined ? '' : `, ${(evenkeel / haproxy).toFixed(2)}x HAProxy`;
  return [
    {
      what: 'edge throughput, small replies, keep-alive, one worker, canary on',
      budget: '>= 1.2x Caddy',
      measured: `${evenkeel}/s, ${caddy === undefined ? 'no Caddy here' : `${(evenkeel / caddy).toFixed(2)}x Caddy`}${ofHaproxy}`,
      met: caddy === undefined ? null : evenkeel >= 1.2 * caddy,
      figures,
    },
  ];
}

async function latencyRows(targets: readonly Running[], quick: boolean): Promise<BenchRow[]> {
  const rounds = quick ? 3 : 7;
  const all = new Map<string, Latencies[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const { name, port } of targets) all.get(name)?.push(await latencies(port, RATE, quick ? 2 : 5));
  const at = (quantile: keyof Latencies): Record<string, number> =>
    Object.fromEntries(
      [...all].map(([name, runs]) => [name, Number(median(runs.map((run) => run[quantile])).toFixed(3))]),
    );
  const [p50, p99] = [at('p50'), at('p99')];
  const added = (p50['evenkeel'] ?? Number.NaN) - (p50['origin'] ?? Number.NaN);
  const ours = p99['evenkeel'] ?? Number.NaN;
  const nginx = p99['nginx'];
  return [
    {
      what: `edge latency added at ${RATE} requests/s, p50`,
      budget: '<= 0.3 ms',
      measured: `${added.toFixed(3)} ms`,
      met: added <= 0.3,
      figures: p50,
    },
    {
      what: `edge latency at ${RATE} requests/s, p99`,
      budget: "<= 2x nginx's",
      measured: `${ours.toFixed(3)} ms, ${nginx === undefined ? 'no nginx here' : `${(ours / nginx).toFixed(2)}x nginx`}`,
      met: nginx === undefined ? null : ours <= 2 * nginx,
      figures: p99,
    },
  ];
}
