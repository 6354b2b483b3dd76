import { expect, onTestFinished, test } from 'vitest';
import { CONTROLLER, EDGE, FROZEN, KEEPER, named } from '../support/matrix/cells.ts';
import { runMatrix } from '../support/matrix/run-matrix.ts';
import { Stage } from '../support/stage.ts';
import { tempDir } from '../support/temp.ts';

/** Each is played so often, one after the other, on one system. */
const RUNS = Number(process.env['MATRIX_RUNS'] ?? 3);
const RESUMED_MS = 2_000;
const MINUTE = 60_000;

test.each([
  ['kill -9 of the controller', CONTROLLER],
  ['SIGSTOP and SIGCONT of the controller', FROZEN],
  ['kill -9 of the edge', EDGE],
  ['kill -9 of the keeper', KEEPER],
] as const)(
  '%s at every checkpoint of good and bad rollouts, under load',
  async (part, cells) => {
    const only = process.env['MATRIX_ONLY'];
    const chosen = only === undefined ? cells : cells.filter((cell) => named(cell).includes(only));
    const stage = await Stage.prepare(tempDir('m'), { mortal: true });
    onTestFinished(() => stage.system.stop(), MINUTE);
    await stage.up();
    for (let run = 1; run <= RUNS; run++) {
      const report = await runMatrix(stage, chosen, {
        prefix: `r${run}k`,
        signal: AbortSignal.timeout(60 * MINUTE),
        say: (text) => console.log(`${part}, run ${run}: ${text}`),
      });
      const back = report.outcomes.map((each) => each.backMs ?? Number.POSITIVE_INFINITY);
      console.log(
        `${part}, run ${run} of ${RUNS}: ${chosen.length} kills, ${report.requests} requests, ${report.failed} failed, ` +
          `${report.cut} cut with the edge, ${report.twice.length} things done twice, ${report.builds} builds begun again; ` +
          `resumed after at most ${Math.max(...back)} ms`,
      );
      for (const each of report.when) console.log(`failed: ${each}`);
      expect(report.outcomes.flatMap(({ cell, wrong }) => wrong.map((each) => `${named(cell)}: ${each}`))).toEqual([]);
      expect(report.twice).toEqual([]);
      expect(report.failed).toBe(0);
      expect(Math.max(...back)).toBeLessThan(RESUMED_MS);
    }
  },
  60 * MINUTE,
);
