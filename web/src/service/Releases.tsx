import { Button } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useId, useMemo, useState } from 'react';
import type { ReleaseView } from '../../../src/api/contract/releases.ts';
import { api } from '../api/client.ts';
import { useMay } from '../api/may.ts';
import type { Entry } from '../shell/entries.ts';
import { useOffer } from '../shell/page-actions.ts';
import { CommentDialog } from '../ui/CommentDialog.tsx';
import { Empty } from '../ui/Empty.tsx';
import { Problem, sentence } from '../ui/Problem.tsx';
import { State } from '../ui/State.tsx';
import { type RowProps, VirtualBody } from '../ui/VirtualBody.tsx';
import { ago, fullTime } from '../ui/times.ts';
import { ReleaseDetail } from './ReleaseDetail.tsx';
import type { Named } from './ServicePage.tsx';
import styles from './table.module.css';

const PAGE = 20;
const COLUMNS = 6;

/**
 * Releases, the newest first; any that is kept can be gone back to, but for those that a rollout is bringing just now
 * (`moving`, with spaces between them).
 */
export function Releases({ named, moving, now }: { named: Named; moving: string; now: number }) {
  const navigate = useNavigate();
  const steers = useMay().may('rollout:steer', named);
  const [chosen, setChosen] = useState<string | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const [limit, setLimit] = useState(PAGE);
  const { data, error, refetch } = useQuery({
    queryKey: ['releases', named, limit],
    queryFn: ({ signal }) => api.listReleases({ ...named, limit }, { signal }),
    placeholderData: keepPreviousData,
  });
  const {
    mutate,
    reset,
    data: begun,
    error: refused,
    isPending,
  } = useMutation({
    mutationFn: ({ to, comment }: { to: string; comment: string | null }) => api.rollback({ ...named, to, comment }),
    onSuccess: ({ rollout }) => {
      setChosen(null);
      if (rollout !== null) void navigate({ to: '/rollouts/$rollout', params: { rollout } });
    },
  });
  const choose = useCallback(
    (release: string): void => {
      reset();
      setChosen(release);
    },
    [reset],
  );
  const panel = useId();
  const rows = (data?.releases ?? []).flatMap((release) => {
    const row = { key: release.release, release, opened: false };
    return shown === release.release ? [row, { ...row, key: `${row.key} opened`, opened: true }] : [row];
  });
  const entries = useMemo<Entry[]>(
    () =>
      (data?.releases ?? [])
        .filter((each) => steers && canGoBackTo(each, moving))
        .map(({ release, label }) => ({
          id: `rollback ${release}`,
          kind: 'action',
          name: `Roll back to ${release}`,
          hint: label ?? 'action',
          run: () => choose(release),
        })),
    [data, moving, choose, steers],
  );
  useOffer(entries);
  return (
    <section className="panel" aria-label="Releases">
      <header>
        <h2>Releases</h2>
        <span className="muted" role="status">
          {begun !== undefined && begun.rollout === null ? sentence(begun.message) : ''}
        </span>
      </header>
      {data === undefined ? (
        error !== null && <Problem error={error} retry={() => void refetch()} />
      ) : data.releases.length === 0 ? (
        <Empty title="There is no release yet">A deploy makes the first one.</Empty>
      ) : (
        <div className={styles['scroll']} tabIndex={0} role="region" aria-label="Table of releases">
          <table className={styles['table']}>
            <thead>
              <tr>
                <th scope="col">Release</th>
                <th scope="col">State</th>
                <th scope="col">Version</th>
                <th scope="col">Commit</th>
                <th scope="col" className={styles['wide']}>
                  Made
                </th>
                <th scope="col">
                  <span className="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <VirtualBody
              count={rows.length}
              columns={COLUMNS}
              rowHeight={37}
              keyOf={(index) => rows[index]?.key ?? String(index)}
            >
              {(index, props) => {
                const row = rows[index];
                if (row === undefined) return null;
                const { key, release: each, opened } = row;
                return opened ? (
                  <tr key={key} {...props}>
                    <td colSpan={COLUMNS} id={panel} className={styles['detail']}>
                      <ReleaseDetail named={named} release={each.release} />
                    </td>
                  </tr>
                ) : (
                  <Row
                    key={key}
                    release={each}
                    now={now}
                    props={props}
                    panel={shown === each.release ? panel : null}
                    onDetail={() => setShown(shown === each.release ? null : each.release)}
                    onRollback={steers && canGoBackTo(each, moving) ? () => choose(each.release) : null}
                  />
                );
              }}
            </VirtualBody>
          </table>
          {data.next !== null && (
            <p className={styles['more']}>
              <Button variant="default" size="xs" onClick={() => setLimit(Math.min(1000, limit + 5 * PAGE))}>
                Older releases
              </Button>
            </p>
          )}
        </div>
      )}
      <CommentDialog
        title={chosen === null ? null : `Roll back to ${chosen}?`}
        means="It gets all traffic back with the configuration that it had. A release that still runs takes over at once; one that is only kept is started and verified first."
        verb="Roll back"
        danger
        busy={isPending}
        error={refused}
        onCancel={() => setChosen(null)}
        onConfirm={(comment) => chosen !== null && mutate({ to: chosen, comment })}
      />
    </section>
  );
}

const canGoBackTo = ({ release, state, behindContract }: ReleaseView, moving: string): boolean =>
  (state === 'former' || state === 'kept') && (behindContract ?? null) === null && !moving.split(' ').includes(release);

const WORDS: Record<ReleaseView['state'], string> = {
  current: 'serves',
  former: 'former, still runs',
  kept: 'kept',
  gone: 'gone',
};

interface RowOf {
  release: ReleaseView;
  now: number;
  props: RowProps;
  /** Where what changed in it is shown; null: it is not. */
  panel: string | null;
  onDetail: () => void;
  onRollback: (() => void) | null;
}

function Row({ release, now, props, panel, onDetail, onRollback }: RowOf) {
  const { release: id, label, commit, dirty, createdAt, createdBy, state, behindContract = null } = release;
  return (
    <tr {...props}>
      <th scope="row" className="mono">
        <button
          type="button"
          className={styles['opener']}
          aria-label={`${id}, what changed`}
          aria-expanded={panel !== null}
          aria-controls={panel ?? undefined}
          onClick={onDetail}
        >
          {id}
        </button>
      </th>
      <td>
        <State
          level={
            state === 'current' ? 'healthy' : state === 'former' ? 'going' : state === 'kept' ? 'stopped' : 'unknown'
          }
        >
          {WORDS[state]}
        </State>
      </td>
      <td>{label ?? <span className="muted">–</span>}</td>
      <td className="mono">
        {commit === null ? <span className="muted">–</span> : commit.slice(0, 10)}
        {dirty && <span className="muted"> with changes</span>}
      </td>
      <td className={styles['wide']} title={fullTime(createdAt)}>
        {ago(createdAt, now)} <span className="muted">by {createdBy}</span>
      </td>
      <td className="num">
        {onRollback !== null && (
          <Button variant="default" size="compact-xs" onClick={onRollback} aria-label={`Roll back to ${id}`}>
            Roll back
          </Button>
        )}
        {behindContract !== null && <span className="muted">before the contract of {behindContract}</span>}
      </td>
    </tr>
  );
}
