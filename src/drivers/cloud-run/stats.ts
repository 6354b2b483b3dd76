import { countsReport, evenIntervals } from '../../domain/analysis/counts-test.ts';
import type { EvidenceReport } from '../../domain/analysis/evidence.ts';
import { intervalsOf, plus, type RevisionCounts } from '../../domain/cloud/run/series.ts';
import { type EdgeReleaseStats, serviceKey } from '../../domain/traffic/protocol.ts';
import { withoutOwn } from '../../domain/cloud/run/without-own.ts';
import type { Counts } from './monitoring.ts';
import type { OwnRequests } from './own-requests.ts';
import type { SeenService } from './view.ts';

export type ServiceStats = { releases: EdgeReleaseStats[]; evidence: EvidenceReport[] } | null;

/** What is known of the requests of one service; null: it was never told anything of traffic. */
export function statsOf(
  counts: Counts | null,
  { record }: SeenService,
  options: { settleMs: number; periodMs: number; own: OwnRequests },
): ServiceStats {
  const { table, splits } = record;
  if (table === null) return null;
  const revisionsOf = (release: string): Set<string> =>
    new Set(
      Object.entries(record.instances).flatMap(([revision, each]) => (each.release === release ? [revision] : [])),
    );
  const releases = table.releases.map(({ release }): EdgeReleaseStats => {
    const mine = [...revisionsOf(release)].flatMap((revision) => counts?.totals.get(revision) ?? []);
    return { key: serviceKey(table), release, ...sumOf(mine) };
  });
  const { split } = table;
  if (split === null) return { releases, evidence: [] };
  const since = splits.rollout === split.rollout ? splits.since : [];
  const of = { canary: revisionsOf(split.canary), baseline: revisionsOf(split.baseline), slow: split.slow };
  const { settleMs, periodMs, own } = options;
  const both = new Set([...of.canary, ...of.baseline]);
  const asked = (revision: string, until: number): readonly number[] =>
    own.of(record.instances[revision]?.id ?? '', until);
  const others = counts === null ? null : withoutOwn(counts.counted, both, { own: asked, periodMs });
  const intervals = others === null ? [] : intervalsOf(others, of, periodMs);
  const known = intervals.filter(({ from }) => from >= own.since);
  const even = evenIntervals(known, since, settleMs);
  // Without counts nothing is known from the begin of the split on.
  const countedUntil = counts?.until ?? since[0]?.at ?? 0;
  // What a former controller had seen stands beside it: this one begins where it began.
  const epoch = `cloud-run/${own.since}`;
  const mark = { rollout: split.rollout, epoch, sequence: counts?.until ?? 0, countedUntil };
  return { releases, evidence: [countsReport(even, mark)] };
}

function sumOf(mine: readonly RevisionCounts[]): Omit<EdgeReleaseStats, 'key' | 'release'> {
  const classes = [0, 1, 2, 3, 4].map((index) => mine.reduce((sum, each) => sum + (each.classes[index] ?? 0), 0));
  return {
    requests: mine.reduce((sum, each) => sum + each.requests, 0),
    classes,
    bad: classes[4] ?? 0,
    clientAborts: 0,
    retries: 0,
    ttfb: [...mine.reduce<readonly number[]>((sum, { times }) => plus(sum, times), [])],
    inFlight: 0,
    websockets: 0,
  };
}
