import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { ActView } from '../../../src/api/contract/audit.ts';
import { api } from '../api/client.ts';
import { useMay } from '../api/may.ts';
import { Empty } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useTitle } from '../ui/title.ts';
import { ActDialog } from './ActDialog.tsx';
import { ActTable } from './ActTable.tsx';
import { Export } from './Export.tsx';
import { Filters } from './Filters.tsx';
import { auditSearch, filterOf } from './search.ts';
import { Verification } from './Verification.tsx';
import styles from './Audit.module.css';

const PAGE = 100;

/** Who did what, and what came of it. The address says what is looked for and which act is open. */
export function AuditPage() {
  useTitle('Audit');
  const search = auditSearch(useSearch({ strict: false }));
  const navigate = useNavigate();
  const { maySomewhere, mayServer } = useMay();
  const filter = filterOf(search);
  const reads = maySomewhere('audit:read') || mayServer('server:read');
  // The newest are asked for again when something happens; those before them do not change any more.
  const newest = useQuery({
    queryKey: ['audit', null, 'newest', filter],
    queryFn: ({ signal }) => api.listAudit({ ...filter, limit: PAGE }, { signal }),
    enabled: reads,
  });
  const all = useInfiniteQuery({
    queryKey: ['whole-audit', filter],
    queryFn: ({ pageParam, signal }) =>
      api.listAudit({ ...filter, limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    enabled: reads,
  });
  const acts = together(newest.data?.acts ?? [], all.data?.pages.flatMap((page) => page.acts) ?? []);
  const more = (): void => {
    if (all.hasNextPage && !all.isFetchingNextPage) void all.fetchNextPage();
  };
  if (!reads)
    return (
      <div className="panel">
        <Empty whole title="The audit is not for you to read">
          It takes audit:read in an organization, which an admin of it can grant.
        </Empty>
      </div>
    );
  return (
    <div className="stack">
      <div className={styles['head']}>
        <div>
          <h1>Audit</h1>
          <p className="muted">Who did what, from where, and what came of it.</p>
        </div>
        <Export filter={filter} />
      </div>
      {mayServer('server:read') && <Verification />}
      <Filters key={JSON.stringify(filter)} search={search} />
      {all.data === undefined ? (
        all.error === null ? (
          <PageSkeleton />
        ) : (
          <Problem error={all.error} retry={() => void all.refetch()} />
        )
      ) : acts.length === 0 ? (
        <div className="panel">
          <Empty title="No act fits">
            {Object.keys(filter).length === 0
              ? 'The first act that changes something will be here.'
              : 'Look for less at once: every filter has to fit.'}
          </Empty>
        </div>
      ) : (
        <section className="panel" aria-label="Acts" aria-busy={all.isPlaceholderData}>
          <ActTable acts={acts} search={search} />
          {/* Until what fits another filter is there, those that fitted the last one are shown. */}
          <End more={all.hasNextPage || all.isPlaceholderData} onReached={more} />
        </section>
      )}
      {search.act !== undefined && (
        <ActDialog
          key={search.act}
          seq={search.act}
          known={acts.find(({ seq }) => seq === search.act)}
          onClose={() => void navigate({ to: '/audit', search: { ...search, act: undefined } })}
        />
      )}
    </div>
  );
}

/** Each once, as it was seen last, the newest first. */
function together(newest: readonly ActView[], all: readonly ActView[]): ActView[] {
  const known = new Set(newest.map(({ seq }) => seq));
  return [...newest, ...all.filter(({ seq }) => !known.has(seq))].toSorted((a, b) => b.seq - a.seq);
}

/** Asks for older ones once it comes in sight. */
function End({ more, onReached }: { more: boolean; onReached: () => void }) {
  const end = useRef<HTMLParagraphElement>(null);
  const reached = useRef(onReached);
  useEffect(() => {
    reached.current = onReached;
  });
  useEffect(() => {
    if (end.current === null || !more) return undefined;
    const watcher = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && reached.current(),
      { rootMargin: '600px' },
    );
    watcher.observe(end.current);
    return () => watcher.disconnect();
  });
  return (
    <p ref={end} className={styles['end']}>
      {more ? 'Older ones are coming …' : 'These are all.'}
    </p>
  );
}
