import type { LoadReport } from '../../test/support/load/report.ts';
import { columns } from './tell.ts';

/** What the demo promises and found; the last line of `--json`. */
export interface Figures {
  requests: number;
  failed: number;
  /** The good version got all traffic. */
  promoted: boolean;
  /** The bad version was taken back by evenkeel itself. */
  rolledBack: boolean;
  /** From the decision to promote to the new release's first answer through the edge. */
  switchMs: number | null;
  /** Wall time of `evenkeel rollback api`. */
  rollbackMs: number | null;
  /** Requests that the bad version had answered when it was judged. */
  detectedAfterRequests: number | null;
  controllerKills: number;
}

/** What was not as promised, in words; empty when all is well. */
export function broken(figures: Figures): string[] {
  const promises: [boolean, string][] = [
    [figures.requests > 0, 'no request was sent'],
    [figures.failed === 0, `${figures.failed} requests failed`],
    [figures.promoted, 'the good version was not promoted'],
    [figures.rolledBack, 'the bad version was not taken back'],
    [figures.switchMs !== null, 'the switch was not seen'],
    [figures.rollbackMs !== null, 'the rollback did not succeed'],
    [figures.detectedAfterRequests !== null, 'the bad version was not judged'],
    [figures.controllerKills > 0, 'the controller was not killed'],
  ];
  return promises.filter(([kept]) => !kept).map(([, what]) => what);
}

export function table(figures: Figures, report: LoadReport | null): string {
  const ms = (value: number | null): string => (value === null ? '-' : `${Math.round(value)} ms`);
  const bad = report === null ? 0 : Object.values(report.badRelease).reduce((sum, count) => sum + count, 0);
  const rows: [string, string, string][] = [
    [
      'requests',
      figures.requests.toLocaleString('en'),
      report === null
        ? ''
        : `${report.sent.posts.toLocaleString('en')} of them POST, ${report.ws.opened} WebSockets, ${report.sse.opened} event streams`,
    ],
    ['failed', String(figures.failed), `${bad} more got the bad version's own errors, before it was taken back`],
    ['switch', ms(figures.switchMs), 'from the decision to the first answer of the new release'],
    ['rollback', ms(figures.rollbackMs), 'the whole command: evenkeel rollback api'],
    [
      'detection',
      figures.detectedAfterRequests === null ? '-' : `${figures.detectedAfterRequests} requests`,
      'of the bad version, until it was proven',
    ],
    ['controller killed', `${figures.controllerKills}x`, 'in the middle of a rollout, which went on by itself'],
  ];
  return columns(rows);
}
