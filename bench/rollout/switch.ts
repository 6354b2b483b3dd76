import { standardLoad } from '../../test/support/load/options.ts';
import { spawnLoad } from '../../test/support/load/spawn-load.ts';
import { waitFor } from '../../test/support/wait.ts';
import { largest, median, quantile, rounded } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import { Prober } from './prober.ts';
import { SCOPE, type Stage } from '../../test/support/stage.ts';

const LOAD_SCALE = 0.1;

/** From the decision (its line in the journal) to the first request that the release answered, and `rollback` as typed. */
export async function switchRows({ quick, signal, say, onEnd }: Bench, stage: Stage): Promise<Row[]> {
  const { system } = stage;
  const load = await spawnLoad(
    standardLoad({ host: '127.0.0.1', port: stage.port }, LOAD_SCALE, { jwtSecret: stage.jwtSecret }),
  );
  const prober = new Prober(stage.port);
  onEnd(() => prober.stop());
  prober.start();
  const forward: number[] = [];
  const back: number[] = [];
  const walls: number[] = [];
  const times = quick ? 4 : 15;
  for (let i = 1; i <= times && !signal.aborted; i++) {
    const began = Date.now();
    stage.change({ version: `s${i}` });
    const id = await stage.deploy(['api']);
    await stage.promote(id);
    forward.push(await untilFirst(stage, prober, { id, decision: 'promoting', version: `s${i}`, since: began }));

    const asked = Date.now();
    const { code, ms, stderr } = await system.cli(['rollback', 'api', '--env', SCOPE.environment], { cwd: stage.root });
    if (code !== 0) throw new Error(`rollback: exit code ${code}: ${stderr}`);
    walls.push(ms);
    back.push(await untilFirst(stage, prober, { id, decision: 'rolled-back', version: 'v0', since: asked }));
    if (i % 5 === 0) say(`${i} of ${times} switches and rollbacks`);
  }
  await prober.stop();
  const report = await load.stop();
  const both = [...forward, ...back];
  const failures = `${report.failed + prober.failed} of ${report.requests + prober.requests} requests failed`;
  return [
    {
      id: 'switch',
      what: 'decision to first request answered by the release',
      budget: '<= 50 ms',
      measured: median(both),
      unit: 'ms',
      ok: median(both) <= 50,
      detail:
        `median of ${both.length}, p95 ${rounded(quantile(both, 0.95))}, largest ${rounded(largest(both))} ms; promotion ` +
        `${rounded(median(forward))} (largest ${rounded(largest(forward))}), rollback ${rounded(median(back))} (largest ${rounded(largest(back))}); ${failures}`,
      figures: {
        promotion: median(forward),
        rollback: median(back),
        p95: quantile(both, 0.95),
        largest: largest(both),
      },
    },
    {
      id: 'rollback-command',
      what: '`evenkeel rollback` as typed, wall',
      budget: '<= 300 ms',
      measured: median(walls),
      unit: 'ms',
      ok: median(walls) <= 300,
      detail: `median of ${walls.length}, largest ${rounded(largest(walls))} ms, the start of Node included`,
      figures: { median: median(walls), largest: largest(walls) },
    },
  ];
}

interface Switch {
  id: string;
  /** The transition that decides it. */
  decision: string;
  version: string;
  /** Replies from before are not meant. */
  since: number;
}

async function untilFirst(stage: Stage, prober: Prober, { id, decision, version, since }: Switch): Promise<number> {
  const decided = (await stage.journal(id)).find((entry) => entry.to === decision)?.at;
  if (decided === undefined) throw new Error(`the journal of ${id} has no line about ${decision}`);
  const answered = await waitFor(() => prober.firstOf(version, since), { what: `a reply of ${version}` });
  return answered - decided;
}
