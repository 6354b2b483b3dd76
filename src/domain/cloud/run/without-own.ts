import type { Counted, RevisionCounts } from './series.ts';

/** How many requests of its own evenkeel had answered by a revision in the interval that ends there, by class as there. */
type Own = (revision: string, until: number) => readonly number[];

/**
 * What others asked of these revisions. Cloud Monitoring counts every request to a revision, those that evenkeel sends to the address of its
 * tag too: health checks alone would else be enough of a canary's requests to pass it, and thin out its errors.
 *
 * One that was answered at the border of two intervals may be counted in the next: what an interval has too few of is
 * taken from that one. Of a class that was never counted (refused before any program saw it) nothing is taken. The fastest
 * go first: a look at its health is no work for a program, and a release must not look faster than it is to others.
 */
export function withoutOwn(
  counted: Counted,
  revisions: ReadonlySet<string>,
  { own, periodMs }: { own: Own; periodMs: number },
): Counted {
  const left: Counted = new Map();
  const owed = new Map<string, { at: number; classes: number[] }>();
  for (const [until, all] of [...counted].toSorted(([a], [b]) => a - b))
    left.set(
      until,
      new Map(
        [...all].flatMap(([revision, counts]) => {
          if (!revisions.has(revision)) return [];
          const before = owed.get(revision);
          const rest = before?.at === until - periodMs ? before.classes : [];
          const mine = own(revision, until);
          const { counts: others, missing } = taken(counts, mine, rest);
          owed.set(revision, { at: until, classes: missing });
          return [[revision, others]];
        }),
      ),
    );
  return left;
}

/** `missing` is what this interval should have had itself; what a former one owed is owed no longer. */
function taken(
  { requests, classes, times }: RevisionCounts,
  mine: readonly number[],
  rest: readonly number[],
): { counts: RevisionCounts; missing: number[] } {
  const gone = classes.map((count, index) => Math.min(count, (mine[index] ?? 0) + (rest[index] ?? 0)));
  const all = gone.reduce((sum, each) => sum + each, 0);
  return {
    counts: {
      requests: Math.max(0, requests - all),
      classes: classes.map((count, index) => count - (gone[index] ?? 0)),
      times: withoutFastest(times, all),
    },
    missing: classes.map((count, index) => Math.max(0, (mine[index] ?? 0) - count)),
  };
}

function withoutFastest(times: readonly number[], count: number): number[] {
  let open = count;
  const left: number[] = [];
  for (let i = 0; i + 1 < times.length; i += 2) {
    const there = times[i + 1] ?? 0;
    const gone = Math.min(open, there);
    open -= gone;
    if (there > gone) left.push(times[i] ?? 0, there - gone);
  }
  return left;
}
