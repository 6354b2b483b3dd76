import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useMemo, useState } from 'react';
import type { Series as Seen } from '../../../src/api/contract/series.ts';
import { formatBytes, formatLatency, formatRate, formatShare } from '../../../src/lib/format.ts';
import { api } from '../api/client.ts';
import { Problem } from '../ui/Problem.tsx';
import { type ChartLimit, type ChartMark, TimeChart } from '../ui/TimeChart.tsx';
import { dateAndTime } from '../ui/times.ts';
import type { Named } from './ServicePage.tsx';
import styles from './Series.module.css';

const HOUR = 3_600_000;
const RANGES = [
  { name: '1 h', ms: HOUR },
  { name: '6 h', ms: 6 * HOUR },
  { name: '24 h', ms: 24 * HOUR },
  { name: '7 d', ms: 7 * 24 * HOUR },
  { name: '30 d', ms: 30 * 24 * HOUR },
] as const;
const POINTS = 180;

/** How it went: latency, requests, errors, processor and memory, with a mark for every release. */
export function Series({ named, hasInstances }: { named: Named; hasInstances: boolean }) {
  const [range, setRange] = useState<(typeof RANGES)[number]>(RANGES[0]);
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: ['series', named, range.ms],
    queryFn: ({ signal }) => {
      const to = Date.now();
      return api.getSeries({ ...named, from: to - range.ms, to, points: POINTS }, { signal });
    },
    // Nothing more is seen before another piece of the curve has begun.
    meta: { holdsMs: range.ms / POINTS / 2 },
    placeholderData: keepPreviousData,
  });
  return (
    <section className="panel" aria-label="Over time">
      <header>
        <h2>Over time</h2>
        <Ranges
          chosen={range.name}
          onChoose={(name) => setRange(RANGES.find((each) => each.name === name) ?? RANGES[0])}
        />
      </header>
      {data === undefined ? (
        error === null ? (
          <div className={styles['loading']} role="status" aria-busy="true" aria-label="Loading" />
        ) : (
          <Problem error={error} retry={() => void refetch()} />
        )
      ) : (
        <div aria-busy={isPlaceholderData} className={isPlaceholderData ? styles['before'] : undefined}>
          <Charts series={data} hasInstances={hasInstances} />
          <Marks marks={data.marks} />
        </div>
      )}
    </section>
  );
}

function Ranges({ chosen, onChoose }: { chosen: string; onChoose: (name: string) => void }) {
  const group = useId();
  return (
    <fieldset className={styles['ranges']}>
      <legend className="hidden">How far back</legend>
      {RANGES.map(({ name }) => (
        <label key={name}>
          <input type="radio" name={group} checked={name === chosen} onChange={() => onChoose(name)} />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Charts({ series, hasInstances }: { series: Seen; hasInstances: boolean }) {
  const { at, traffic, objectives, limits } = series;
  const marks = useMemo(
    () =>
      series.marks.map((each): ChartMark => ({
        at: each.at,
        text: each.kind === 'promoted' ? each.release : `${each.release} ${each.kind}`,
        bad: each.kind !== 'promoted',
      })),
    [series],
  );
  const usage = useMemo(() => together(series), [series]);
  const shared = { times: at, marks };
  const memoryMax = usage.memory;
  return (
    <div className={styles['charts']}>
      <div className={styles['whole']}>
        <TimeChart
          {...shared}
          name="Latency to the first byte"
          lines={[
            { name: 'p50', values: traffic.p50Ms, colour: '--baseline' },
            { name: 'p95', values: traffic.p95Ms, colour: '--accent' },
            { name: 'p99', values: traffic.p99Ms, colour: '--warn' },
          ]}
          limits={limitOf('target of p95', objectives.p95Ms?.warning)}
          format={formatLatency}
          height={200}
        />
      </div>
      <TimeChart
        {...shared}
        name="Requests"
        lines={[{ name: 'a second', values: traffic.rate, colour: '--accent' }]}
        format={formatRate}
      />
      <TimeChart
        {...shared}
        name="Error rate"
        lines={[{ name: 'failed', values: traffic.errorRate, colour: '--accent' }]}
        limits={limitOf('warning', objectives.errorRate?.warning)}
        format={formatShare}
      />
      {hasInstances && (
        <>
          <TimeChart
            {...shared}
            name="CPU, all instances"
            lines={[{ name: 'cores', values: usage.cpu, colour: '--accent' }]}
            format={formatCores}
          />
          <TimeChart
            {...shared}
            name="Memory, the fullest instance"
            lines={[{ name: 'at most', values: memoryMax, colour: '--accent' }]}
            limits={limitOf('limit', limits.memory)}
            format={formatBytes}
          />
        </>
      )}
    </div>
  );
}

/** For who reads on, and for who does not see the curves: what the marks in them are. */
function Marks({ marks }: { marks: Seen['marks'] }) {
  if (marks.length === 0) return null;
  return (
    <details className={styles['marks']} open={marks.length <= 4}>
      <summary>
        Releases in this time <span className="muted figure">{marks.length}</span>
      </summary>
      <ul>
        {marks.toReversed().map(({ at, kind, rollout, release, by }) => (
          <li key={`${rollout} ${kind}`}>
            <span className="muted figure">{dateAndTime(at)}</span>
            <Link to="/rollouts/$rollout" params={{ rollout }} className="mono">
              {release}
            </Link>
            <span>{kind}</span>
            <span className="muted">by {by}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Of all releases that ran at the same moment: their processors add up, and the fullest of their instances is one. */
function together({ at, releases }: Seen): { cpu: (number | null)[]; memory: (number | null)[] } {
  const of = (pick: (release: Seen['releases'][number]) => readonly (number | null)[], index: number): number[] =>
    releases.flatMap((each) => pick(each)[index] ?? []);
  return {
    cpu: at.map((_, index) => {
      const values = of(({ cpu }) => cpu, index);
      return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0);
    }),
    memory: at.map((_, index) => {
      const values = of(({ memoryMax }) => memoryMax, index);
      return values.length === 0 ? null : Math.max(...values);
    }),
  };
}

const limitOf = (name: string, value: number | null | undefined): ChartLimit[] =>
  value === null || value === undefined ? [] : [{ name, value }];

const formatCores = (cores: number): string => String(Number(cores.toFixed(2)));
