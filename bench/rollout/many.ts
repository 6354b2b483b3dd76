import type { LoadReport } from '../../test/support/load/report.ts';
import { rolloutsInARow } from '../../test/support/rollouts-in-a-row.ts';
import type { Stage } from '../../test/support/stage.ts';
import { quantile, rounded, thousands } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';

export async function manyRows({ quick, signal, say }: Bench, stage: Stage): Promise<Row[]> {
  const times = quick ? 5 : 100;
  const played = await rolloutsInARow(stage, { times, signal, say });
  const { load: report, counted, canaries, whole, unchanged, unseen, switches, durations } = played;
  for (const each of report.examples)
    say(`${each.what}: ${each.kind} ${each.detail} (${each.version ?? 'no version'})`);
  const seen =
    switches.length === 0
      ? ''
      : `p50 ${rounded(quantile(switches, 0.5))} ms, p95 ${rounded(quantile(switches, 0.95))} ms`;
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

const difference = (more: number): string =>
  more === 0 ? 'exactly as many' : `${Math.abs(more)} ${more > 0 ? 'more' : 'fewer'}`;

function kinds({ failures }: LoadReport): string {
  const all = Object.entries(failures).map(([kind, count]) => `${count} ${kind}`);
  return all.length === 0 ? '' : `; failed: ${all.join(', ')}`;
}
