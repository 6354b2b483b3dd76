import type { LoadReport } from '../load/report.ts';
import type { Shipped } from './published-server.ts';

interface Figures {
  readonly deploy: Shipped;
  readonly rollback: Shipped;
  readonly promotion: { readonly switchMs: number; readonly canaryRequests: number; readonly baselineRequests: number };
  readonly report: LoadReport;
  /** What else there is to say, in order. */
  readonly more: Readonly<Record<string, unknown>>;
}

/** The numbers of one journey, for the test's output. */
export function summary(title: string, { deploy, rollback, promotion, report, more }: Figures): string {
  const byVersion = Object.entries(report.byVersion).map(([version, { requests }]) => [`of ${version}`, requests]);
  const rows = {
    requests: report.requests,
    failed: report.failed,
    'POST and PUT': report.sent.posts,
    ...Object.fromEntries(byVersion),
    'latency p50, p95, ms': `${report.latency.p50}, ${report.latency.p95}`,
    'deploy with its build, ms': deploy.ms,
    'switch, ms': promotion.switchMs,
    'canary and baseline requests judged': `${promotion.canaryRequests}, ${promotion.baselineRequests}`,
    'rollback command, ms': rollback.ms,
    ...more,
  };
  const lines = Object.entries(rows).map(([name, value]) => `  ${name}: ${String(value)}`);
  return [title, ...lines, ...report.examples.map((each) => `  ${JSON.stringify(each)}`)].join('\n');
}
