import { formatDuration } from '../../src/lib/format.ts';
import type { LoadReport } from '../../test/support/load/report.ts';
import { columns } from './tell.ts';

/** What the demo promises and found; the last line of `--json`. Times are ms, of whole commands as they are typed. */
export interface CloudFigures {
  /** What the file asks for. */
  resources: number;
  /** US dollars a month. */
  monthly: { from: number; to: number } | null;
  planMs: number | null;
  setupMs: number | null;
  /** Requests to Google's APIs of a set-up that has nothing to do. */
  unchangedCalls: number | null;
  /** Three images built, three services up. */
  firstDeployMs: number | null;
  /** The good version has all traffic: build and canary included. */
  canaryMs: number | null;
  promoted: boolean;
  /** From the first request that the bad version may have got until it got none. */
  takenBackMs: number | null;
  rolledBack: boolean;
  /** Requests that the bad version had answered when it was judged. */
  detectedAfterRequests: number | null;
  rollbackMs: number | null;
  statusMs: number | null;
  requests: number;
  failed: number;
  /** Resources that were not well when status was asked. */
  unwell: number | null;
  cleanupMs: number | null;
  /** What is left of the environment after the clean-up; null: it was not cleaned up. */
  left: number | null;
  /** Requests to Google's APIs in all, and how many of them or of the replies Google's schemas forbid. */
  calls: number;
  violations: number;
}

export const noFigures = (): CloudFigures => ({
  resources: 0,
  monthly: null,
  planMs: null,
  setupMs: null,
  unchangedCalls: null,
  firstDeployMs: null,
  canaryMs: null,
  promoted: false,
  takenBackMs: null,
  rolledBack: false,
  detectedAfterRequests: null,
  rollbackMs: null,
  statusMs: null,
  requests: 0,
  failed: 0,
  unwell: null,
  cleanupMs: null,
  left: null,
  calls: 0,
  violations: 0,
});

/** What was not as promised, in words; empty when all is well. `kept`: the cloud was to be left as it is. */
export function broken(figures: CloudFigures, { kept }: { kept: boolean }): string[] {
  const promises: [boolean, string][] = [
    [figures.monthly !== null && figures.resources > 0, 'the plan had no prices'],
    [figures.setupMs !== null, 'the set-up did not succeed'],
    [figures.unchangedCalls !== null, 'a second set-up found something to do'],
    [figures.firstDeployMs !== null, 'the first deploy did not succeed'],
    [figures.requests > 0, 'no request was sent'],
    [figures.failed === 0, `${figures.failed} requests failed`],
    [figures.promoted, 'the good version was not promoted'],
    [figures.rolledBack, 'the bad version was not taken back'],
    [figures.detectedAfterRequests !== null, 'the bad version was not judged'],
    [figures.rollbackMs !== null, 'the rollback did not succeed'],
    [figures.statusMs !== null && figures.unwell === 0, `${figures.unwell ?? 'unknown'} resources were not well`],
    [kept || figures.cleanupMs !== null, 'the clean-up did not succeed'],
    [kept || figures.left === 0, `${figures.left ?? 'unknown'} resources were left after the clean-up`],
    [figures.violations === 0, `${figures.violations} requests or replies are not as Google's schemas have them`],
  ];
  return promises.filter(([held]) => !held).map(([, what]) => what);
}

export function table(figures: CloudFigures, report: LoadReport | null): string {
  const bad = report === null ? 0 : Object.values(report.badRelease).reduce((sum, count) => sum + count, 0);
  const count = (value: number | null, unit = ''): string =>
    value === null ? '-' : `${value.toLocaleString('en')}${unit}`;
  return columns([
    ['requests', count(figures.requests), 'of visitors, on the way through all of it'],
    ['failed', count(figures.failed), `${bad} more got the bad version's own errors`],
    ['detection', count(figures.detectedAfterRequests, ' requests'), 'of the bad version, until it was proven'],
    [
      'unchanged set-up',
      count(figures.unchangedCalls, ' calls'),
      `of Google's APIs, for ${figures.resources} resources`,
    ],
    ['API calls in all', count(figures.calls), `${figures.violations} of them not as Google's schemas have it`],
  ]);
}

/** How long each thing took, drawn. */
export function bars(figures: CloudFigures, { width, block }: { width: number; block: string }): string {
  const all: [string, number | null, string][] = [
    ['plan', figures.planMs, ''],
    ['set-up', figures.setupMs, '5 to 10 min on Google Cloud'],
    ['first deploy', figures.firstDeployMs, 'three images, three services'],
    ['canary to 100 %', figures.canaryMs, 'a good version'],
    ['taken back', figures.takenBackMs, 'a bad one, from its first request on'],
    ['rollback', figures.rollbackMs, 'the whole command'],
    ['status', figures.statusMs, `of ${figures.resources} resources`],
    ['clean-up', figures.cleanupMs, '2 to 5 min on Google Cloud'],
  ];
  const rows = all.flatMap(([what, ms, note]) => (ms === null ? [] : [{ what, ms, note }]));
  const longest = Math.max(1, ...rows.map(({ ms }) => ms));
  return rows
    .map(({ what, ms, note }) => {
      const bar = block.repeat(Math.max(1, Math.round((ms / longest) * width)));
      return `  ${what.padEnd(15)}  ${formatDuration(ms).padStart(6)}  ${bar.padEnd(width)}  ${note}`.trimEnd();
    })
    .join('\n');
}
