import { simulateDetection, simulateWindowDetection } from './detection.ts';
import { simulateFalseAborts, simulateWindow } from './false-aborts.ts';

/**
 * How often an innocent release is taken back, and how soon a bad one is; ours beside the rules of other tools, on the
 * same streams. `node bench/analysis/run.ts [--json] [--quick]`
 */
export function runAnalysisBench(options: { quick: boolean; seed?: number }) {
  const { quick, seed = 20_240_601 } = options;
  const rollouts = quick ? 300 : 10_000;
  const started = performance.now();
  const window = { rollouts: quick ? 100 : 1000, seed, rate: 0.05, requestsPerSession: 8 };
  const result = {
    rollouts,
    innocent: simulateFalseAborts({ rollouts, seed, canaryRequests: 20_000, outages: true }),
    innocentNoOutage: simulateFalseAborts({ rollouts: rollouts / 10, seed, canaryRequests: 20_000, outages: false }),
    innocentSmall: simulateFalseAborts({ rollouts: rollouts / 5, seed, canaryRequests: 600, outages: true }),
    windowSpread: simulateWindow({ rollouts, seed, sessions: 1000, clustered: false }),
    windowClustered: simulateWindow({ rollouts, seed, sessions: 1000, clustered: true }),
    detection: simulateDetection({ rollouts: quick ? 2000 : 20_000, seed }),
    detectionSmall: simulateDetection({ rollouts: quick ? 2000 : 20_000, seed, requestsPerSecond: 2 }),
    windowDetection: {
      alone: simulateWindowDetection({ ...window, requestsPerSession: 1, clustered: false }),
      spread: simulateWindowDetection({ ...window, clustered: false }),
      clustered: simulateWindowDetection({ ...window, clustered: true }),
    },
  };
  return { ...result, seconds: (performance.now() - started) / 1000 };
}

function print(result: ReturnType<typeof runAnalysisBench>): void {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`.padStart(9);
  const row = (...cells: string[]) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(46) : cell.padStart(12))).join(''));
  row('innocent rollouts taken back', 'evenkeel', 'no limits', 'Flagger', 'Argo');
  for (const [name, each] of [
    ['20,000 canary requests, outages', result.innocent],
    ['20,000 canary requests, no outage', result.innocentNoOutage],
    ['600 canary requests, outages', result.innocentSmall],
  ] as const) {
    row(
      `  ${name} (n = ${each.rollouts})`,
      percent(each.evenkeel),
      percent(each.proven),
      percent(each.flagger),
      percent(each.argo),
    );
  }
  row('  window, errors at the limit, spread', percent(result.windowSpread));
  row('  window, errors at the limit, clustered', percent(result.windowClustered));
  for (const [name, pairs] of [
    ['70 requests/s', result.detection],
    ['2 requests/s', result.detectionSmall],
  ] as const) {
    row(`canary requests to detection, ${name}`, 'evenkeel', '90 %', 'bound', 'ratio', 'Flagger', 'Argo');
    for (const each of pairs) {
      const numbers = [each.requests, each.requests90, each.bound].map((n) => n.toFixed(0));
      const others = [each.flagger, each.argo].map((n) => n.toFixed(0));
      row(
        `  ${each.baseline * 100} % against ${each.canary * 100} %`,
        ...numbers,
        `${each.ratio.toFixed(2)}x`,
        ...others,
      );
    }
  }
  const { alone, spread, clustered } = result.windowDetection;
  row('window: requests until 5 % is proven over 1 %', 'no sessions', 'spread', 'clustered');
  row('  8 requests a session', ...[alone, spread, clustered].map((n) => n.toFixed(0)));
  console.log(`${result.seconds.toFixed(1)} s`);
}

if (import.meta.main) {
  const result = runAnalysisBench({ quick: process.argv.includes('--quick') });
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else print(result);
}
