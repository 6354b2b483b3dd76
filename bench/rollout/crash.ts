import { standardLoad } from '../../test/support/load/options.ts';
import { spawnLoad } from '../../test/support/load/spawn-load.ts';
import { largest, median, rounded, thousands } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import { type Kill, Killer, type Moment } from './killer.ts';
import { SCOPE, type Stage } from '../../test/support/stage.ts';

const PHASES = [
  'pending',
  'building',
  'starting',
  'migrating',
  'verifying',
  'canary',
  'promoting',
  'watching',
] as const;
const MOMENTS: readonly Moment[] = ['seen', 'written', 'later'];
/** Kills after which the controller is left alone for ten seconds. */
const IN_A_ROW = 4;

interface Try {
  phase: string;
  moment: Moment;
}

/** `kill -9` of the controller in every phase, under load. */
export async function crashRows({ quick, signal, say }: Bench, stage: Stage): Promise<Row[]> {
  const tries: Try[] = [...PHASES, 'rolled-back'].flatMap((phase) => MOMENTS.map((moment) => ({ phase, moment })));
  const chosen = quick ? tries.filter((_, i) => i % 11 === 7) : tries;
  const load = await spawnLoad(
    standardLoad({ host: '127.0.0.1', port: stage.port }, 1, { jwtSecret: stage.jwtSecret }),
    {
      seconds: 1_800,
    },
  );
  const killer = new Killer(stage);
  const kills: Kill[] = [];
  const wrong: string[] = [];
  let serving = await stage.answers();
  for (const [index, { phase, moment }] of chosen.entries()) {
    signal.throwIfAborted();
    const version = `k${index + 1}`;
    const back = phase === 'rolled-back';
    // Its end is among what is killed, so the window is short.
    stage.change({ version, canary: back ? [] : [10, 50], rollbackWindow: back ? 300_000 : 1_500 });
    const id = await stage.deploy(['api']);
    let kill: Kill;
    if (back) {
      await stage.promote(id);
      // In the middle of its request the command cannot know, says so, and is given again.
      const asked = rollback(stage).then((code) => (code === 0 ? 0 : rollback(stage)));
      kill = await killer.kill(id, moment === 'written' ? 'watching' : phase, moment, signal);
      if ((await asked) !== 0) wrong.push(`after a kill in ${phase} (${moment}) the rollback did not succeed`);
    } else {
      kill = await killer.kill(id, phase, moment, signal);
      await stage.promote(id);
      serving = version;
    }
    kills.push({ ...kill, phase });
    const answers = await stage.answers();
    if (answers !== serving)
      wrong.push(`after a kill in ${phase} (${moment}) ${answers} answers instead of ${serving}`);
    say(
      `killed in ${phase} (${moment}): answers after ${rounded(kill.answeredMs)} ms, goes on after ${kill.progressMs ?? '-'} ms`,
    );
    if (index % IN_A_ROW === IN_A_ROW - 1 && index + 1 < chosen.length) await killer.letLive(signal);
  }
  killer.close();
  const report = await load.stop();
  for (const each of report.examples)
    say(`${each.what}: ${each.kind} ${each.detail} (${each.version ?? 'no version'})`);
  for (const each of wrong) say(each);
  const twice = [...stage.witnessed()].filter(([line, count]) => / k\d+$/.test(line) && count > 1);
  for (const [line, count] of twice) say(`${count} times: ${line}`);
  const harmful = twice.filter(([line]) => !line.startsWith('build'));
  const answered = kills.map((each) => each.answeredMs);
  const progress = kills.flatMap((each) => (each.phase === 'canary' ? [] : (each.progressMs ?? [])));
  return [
    {
      id: 'crash-resume',
      what: `kill -9 of the controller, ${kills.length} times: until it answers again`,
      budget: '<= 2 s',
      measured: largest(answered) / 1000,
      unit: 's',
      ok: largest(answered) <= 2_000,
      detail:
        `largest; median ${rounded(median(answered))} ms; the rollout's next step after ${rounded(median(progress))} ms (median; largest ${rounded(largest(progress))}), ` +
        `steps of a canary apart; persisted when it died: ${counts(kills.map((each) => each.persisted))}`,
      figures: {
        largest: largest(answered),
        median: median(answered),
        progressMedian: median(progress),
        progressLargest: largest(progress),
      },
    },
    {
      id: 'crash-failed',
      what: 'failed requests and things done twice in those kills',
      budget: '0',
      measured: report.failed + harmful.length + wrong.length,
      unit: '',
      ok: report.failed + harmful.length + wrong.length === 0,
      detail:
        `${report.failed} of ${thousands(report.requests)} requests failed; ${harmful.length} migrations or starts done twice, ` +
        `${twice.length - harmful.length} builds begun twice; ${wrong.length} times the wrong release answered`,
      figures: {
        failed: report.failed,
        requests: report.requests,
        twice: harmful.length,
        builds: twice.length - harmful.length,
        wrong: wrong.length,
      },
    },
  ];
}

async function rollback({ system, root }: Stage): Promise<number | null> {
  return (await system.cli(['rollback', 'api', '--env', SCOPE.environment], { cwd: root })).code;
}

function counts(values: readonly string[]): string {
  const all = new Map<string, number>();
  for (const value of values) all.set(value, (all.get(value) ?? 0) + 1);
  return [...all].map(([value, count]) => `${value} ${count}`).join(', ');
}
