import { Worker } from 'node:worker_threads';
import type { runAnalysisBench } from '../analysis/run.ts';
import { rounded, thousands } from './figures.ts';
import type { Bench, Row } from './row.ts';

type Result = ReturnType<typeof runAnalysisBench>;

/** How often an innocent release is taken back, and how soon a bad one is. Simulated: nothing of the machine is in it. */
export async function analysisRows({ quick, onEnd, say }: Bench): Promise<Row[]> {
  say(quick ? 'about 2 s' : 'about 40 s');
  // In a thread of its own, so that Ctrl-C is heard.
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(workerData.module).then(({ runAnalysisBench }) => parentPort.postMessage(runAnalysisBench(workerData)));`,
    { eval: true, workerData: { module: new URL('../analysis/run.ts', import.meta.url).href, quick } },
  );
  onEnd(async () => void (await worker.terminate()));
  const result = await new Promise<Result>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  const { innocent, innocentNoOutage, innocentSmall } = result;
  const ratios = result.detection.map((each) => each.ratio);
  return [
    {
      id: 'false-aborts',
      what: `innocent rollouts taken back, of ${thousands(innocent.rollouts)}`,
      budget: '<= 1 %',
      measured: innocent.evenkeel * 100,
      unit: '%',
      ok: innocent.evenkeel <= 0.01,
      detail:
        `20,000 canary requests each, clustered sessions, common outages, weight steps; without any limit to be broken ` +
        `${percent(innocent.proven)}; without outages ${percent(innocentNoOutage.evenkeel)}; 600 canary requests ` +
        `${percent(innocentSmall.evenkeel)}. The rules of others on the same traffic, in %`,
      figures: {
        proven: innocent.proven * 100,
        noOutage: innocentNoOutage.evenkeel * 100,
        small: innocentSmall.evenkeel * 100,
      },
      peers: { Flagger: innocent.flagger * 100, Argo: innocent.argo * 100 },
    },
    {
      id: 'detection',
      what: 'canary requests to detection, worst of three pairs, over the two-sample bound',
      budget: '<= 1.6x',
      measured: Math.max(...ratios),
      unit: 'x',
      ok: ratios.every((ratio) => ratio <= 1.6),
      detail: result.detection
        .map(
          (each) =>
            `${each.baseline * 100} % against ${each.canary * 100} %: ${rounded(each.requests)} requests (${each.ratio.toFixed(2)}x), ` +
            `Flagger ${rounded(each.flagger)}, Argo ${rounded(each.argo)}`,
        )
        .join('; '),
      figures: Object.fromEntries(
        result.detection.flatMap((each) => {
          const pair = `${each.baseline * 100}-${each.canary * 100}`;
          return [
            [`${pair} requests`, each.requests],
            [`${pair} ratio`, each.ratio],
          ];
        }),
      ),
    },
  ];
}
