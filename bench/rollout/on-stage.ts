import { join } from 'node:path';
import type { Bench, Row } from '../report/row.ts';
import { Stage } from '../../test/support/stage.ts';

let opened = 0;

/** Measures something on a real system of its own: `examples/chat`, up and serving its first release. */
export const onStage =
  (measure: (bench: Bench, stage: Stage) => Promise<Row[]>) =>
  async (bench: Bench): Promise<Row[]> => {
    const stage = await Stage.prepare(join(bench.folder, `r${++opened}`));
    bench.onEnd(() => stage.system.stop());
    await stage.up();
    return measure(bench, stage);
  };
