import { join } from 'node:path';
import { CONTROLLER, named } from '../../test/support/matrix/cells.ts';
import { runMatrix } from '../../test/support/matrix/run-matrix.ts';
import { Stage } from '../../test/support/stage.ts';
import { largest, median, rounded, thousands } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';

/** One of so many cells is played in a quick run. */
const QUICK = 13;

/** `kill -9` of the controller before, after and at the end of each of its acts, under load. */
export async function crashRows({ quick, signal, say, folder, onEnd }: Bench): Promise<Row[]> {
  const stage = await Stage.prepare(join(folder, 'crash'), { mortal: true });
  onEnd(() => stage.system.stop());
  await stage.up();
  const cells = quick ? CONTROLLER.filter((_, index) => index % QUICK === 0) : CONTROLLER;
  const { outcomes, requests, failed, twice, builds, when } = await runMatrix(stage, cells, {
    prefix: 'k',
    signal,
    say,
  });
  const wrong = outcomes.flatMap((each) => each.wrong.map((what) => `${named(each.cell)}: ${what}`));
  for (const each of [...wrong, ...when, ...twice]) say(each);
  const back = outcomes.flatMap(({ backMs }) => backMs ?? []);
  return [
    {
      id: 'crash-resume',
      what: `kill -9 of the controller, ${back.length} times: until it answers again`,
      budget: '<= 2 s',
      measured: largest(back) / 1000,
      unit: 's',
      ok: largest(back) <= 2_000,
      detail: `largest; median ${rounded(median(back))} ms; before persisting, between that and acting, and before telling anybody`,
      figures: { largest: largest(back), median: median(back) },
    },
    {
      id: 'crash-failed',
      what: 'failed requests and things done twice in those kills',
      budget: '0',
      measured: failed + twice.length + wrong.length,
      unit: '',
      ok: failed + twice.length + wrong.length === 0,
      detail:
        `${failed} of ${thousands(requests)} requests failed; ${twice.length} migrations or starts done twice, ` +
        `${builds} builds begun twice; ${wrong.length} rollouts did not end as they should`,
      figures: { failed, requests, twice: twice.length, builds, wrong: wrong.length },
    },
  ];
}
