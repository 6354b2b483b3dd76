import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import { formatDuration } from '../../../src/lib/format.ts';
import { api } from '../api/client.ts';
import { useNow } from '../ui/clock.ts';
import { Command, Empty } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { State } from '../ui/State.tsx';
import { ago, fullTime } from '../ui/times.ts';
import { useTitle } from '../ui/title.ts';
import { labelsOf, stateOf, titleOf } from './state.ts';
import styles from './RolloutList.module.css';

const PAGE = 50;
const ROW = 62;

/** All rollouts there were, the newest first, as far as one scrolls. */
export function RolloutList() {
  useTitle('Rollouts');
  // The newest are asked for again when something changes; those before them do not change any more.
  const newest = useQuery({
    queryKey: ['rollouts'],
    queryFn: ({ signal }) => api.listRollouts({ limit: PAGE }, { signal }),
  });
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['all-rollouts'],
    queryFn: ({ pageParam, signal }) =>
      api.listRollouts({ limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
  const rollouts = together(newest.data?.rollouts ?? [], data?.pages.flatMap((page) => page.rollouts) ?? []);
  const more = (): void => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  };
  return (
    <div className="stack">
      <h1>Rollouts</h1>
      {data === undefined ? (
        error === null ? (
          <PageSkeleton />
        ) : (
          <Problem error={error} retry={() => void refetch()} />
        )
      ) : (
        <div className="panel">
          {rollouts.length === 0 ? (
            <Empty title="There has been no rollout yet">
              Begin one with <Command>evenkeel deploy</Command>, in the folder of your <Command>evenkeel.yaml</Command>.
            </Empty>
          ) : (
            <Rows rollouts={rollouts} onEnd={more} />
          )}
        </div>
      )}
    </div>
  );
}

/** Each once, as it was seen last, the newest first. */
function together(newest: readonly RolloutView[], all: readonly RolloutView[]): RolloutView[] {
  const known = new Set(newest.map(({ id }) => id));
  return [...newest, ...all.filter(({ id }) => !known.has(id))].toSorted((a, b) => b.createdAt - a.createdAt);
}

function Rows({ rollouts, onEnd }: { rollouts: readonly RolloutView[]; onEnd: () => void }) {
  const now = useNow();
  const list = useRef<HTMLUListElement>(null);
  const rows = useWindowVirtualizer({
    count: rollouts.length,
    estimateSize: () => ROW,
    overscan: 10,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => rollouts[index]?.id ?? index,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rollouts.length - 5) onEnd();
  });
  return (
    <ul ref={list} className={styles['list']} style={{ height: rows.getTotalSize() }}>
      {shown.map(({ index, start, key }) => {
        const rollout = rollouts[index];
        return rollout === undefined ? null : (
          <li
            key={key}
            data-index={index}
            ref={rows.measureElement}
            style={{ transform: `translateY(${start - rows.options.scrollMargin}px)` }}
          >
            <Row rollout={rollout} now={now} />
          </li>
        );
      })}
    </ul>
  );
}

function Row({ rollout, now }: { rollout: RolloutView; now: number }) {
  const { id, project, environment, kind, requestedBy, createdAt, endedAt, reason } = rollout;
  const [level, word] = stateOf(rollout);
  return (
    <Link to="/rollouts/$rollout" params={{ rollout: id }} className={styles['row']}>
      <span className={styles['what']}>
        <strong className="mono">{titleOf(rollout)}</strong>
        {labelsOf(rollout).map((label) => (
          <span key={label} className="muted">
            {label}
          </span>
        ))}
        {kind === 'rollback' && <span className="muted">rollback</span>}
      </span>
      <span className={styles['state']}>
        <State level={level}>{word}</State>
      </span>
      <span className={styles['where']}>
        {project} / {environment}
      </span>
      <span className={styles['when']} title={fullTime(createdAt)}>
        {ago(createdAt, now)} by {requestedBy}
        {endedAt === null ? '' : `, took ${formatDuration(endedAt - createdAt)}`}
      </span>
      <span className={styles['reason']}>{reason}</span>
    </Link>
  );
}
