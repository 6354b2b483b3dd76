import { join } from 'node:path';
import type { Bench, Row } from '../report/row.ts';
import { manyRows } from './many.ts';
import { Stage } from './stage.ts';
import { switchRows } from './switch.ts';

/** Everything about rollouts, on one real system. */
export async function rolloutRows(bench: Bench): Promise<Row[]> {
  const stage = await Stage.prepare(join(bench.folder, 'r'));
  bench.onEnd(() => stage.system.stop());
  await stage.up();
  bench.say(`examples/chat is up`);
  const rows = await switchRows(bench, stage);
  rows.push(...(await manyRows(bench, stage)));
  return rows;
}
