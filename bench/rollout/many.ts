import { standardLoad } from '../../test/support/load/options.ts';
import { spawnLoad } from '../../test/support/load/spawn-load.ts';
import type { LoadReport } from '../../test/support/load/report.ts';
import { quantile, rounded, thousands } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import type { Stage } from '../../test/support/stage.ts';

/** Rollouts of everything that changes and of all services at once are among them, and canaries. */
const EVERY = { whole: 10, canary: 8 };

export async function manyRows({ quick, signal, say }: Bench, stage: Stage): Promise<Row[]> {
  const times = quick ? 5 : 100;
  const before = await stage.edgeRequests();
  const load = await spawnLoad(
    standardLoad({ host: '127.0.0.1', port: stage.port }, 1, { jwtSecret: stage.jwtSecret }),
    {
      seconds: 1_800,
    },
  );
  const switches: number[] = [];
  const durations: number[] = [];
  let asked = 0;
  let canaries = 0;
  let whole = 0;
  let unchanged = 0;
  for (let i = 1; i <= times && !signal.aborted; i++) {
    const version = `m${i}`;
    const canary = i % EVERY.canary === 3 ? [10, 50] : [];
    const all = i % EVERY.whole === 4;
    canaries += Math.sign(canary.length);
    whole += Number(all);
    const began = performance.now();
    stage.change({ version, canary });
    const id = await stage.deploy(all ? undefined : ['api']);
    await stage.promote(id);
    durations.push((performance.now() - began) / 1000);
    asked++;
    if ((await stage.answers()) !== version) unchanged++;
    const journal = await stage.journal(id);
    const ms = journal.findLast((entry) => entry.to === 'watching')?.detail['switchMs'];
    if (typeof ms === 'number') switches.push(ms);
    if (i % 10 === 0 || quick) {
      const { requests = 0, failed = 0 } = load.progress() ?? {};
      say(`${i} of ${times} rollouts, ${thousands(requests)} requests, ${failed} failed`);
    }
  }
  const report = await load.stop();
  const counted = (await stage.edgeRequests()) - before - asked;
  for (const each of report.examples)
    say(`${each.what}: ${each.kind} ${each.detail} (${each.version ?? 'no version'})`);
  const seen =
    switches.length === 0
      ? ''
      : `p50 ${rounded(quantile(switches, 0.5))} ms, p95 ${rounded(quantile(switches, 0.95))} ms`;
  const unseen = versionsNotSeen(report, times);
  const same = counted === report.requests;
  return [
    {
      id: 'rollouts-failed',
      what: `failed requests in ${times} rollouts under the standard load`,
      budget: '0',
      measured: report.failed,
      unit: '',
      ok: report.failed === 0 && unchanged === 0 && unseen === 0 && same,
      detail:
        `of ${thousands(report.requests)} (${thousands(report.sent.posts)} POST, ${report.ws.opened} WebSockets opened, ${thousands(report.sse.events)} events); ` +
        `${canaries} with a canary, ${whole} of all four services as one; the edge counted ${difference(counted - report.requests)}; ` +
        `${unchanged + unseen === 0 ? 'every rollout changed the release that answers' : `${unchanged} rollouts did not change the release that answers, ${unseen} versions were never seen by the load`}; ` +
        `promotion begun to answered through the edge: ${seen}; a rollout took ${rounded(quantile(durations, 0.5))} s; ` +
        `requests: p50 ${report.latency.p50}, p99 ${report.latency.p99} ms, sent late by ${report.lateness.p99} ms at p99${kinds(report)}`,
      figures: {
        requests: report.requests,
        failed: report.failed,
        edgeRequests: counted,
        unchanged,
        switchP50: quantile(switches, 0.5),
        switchP95: quantile(switches, 0.95),
        secondsEach: quantile(durations, 0.5),
      },
    },
  ];
}

/** The load too must have met every version. */
const versionsNotSeen = (report: LoadReport, times: number): number =>
  Array.from({ length: times }, (_, i) => `m${i + 1}`).filter((version) => report.byVersion[version] === undefined)
    .length;

const difference = (more: number): string =>
  more === 0 ? 'exactly as many' : `${Math.abs(more)} ${more > 0 ? 'more' : 'fewer'}`;

function kinds({ failures }: LoadReport): string {
  const all = Object.entries(failures).map(([kind, count]) => `${count} ${kind}`);
  return all.length === 0 ? '' : `; failed: ${all.join(', ')}`;
}
