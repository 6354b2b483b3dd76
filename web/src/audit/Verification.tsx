import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { formatCount, plural } from '../../../src/lib/format.ts';
import { api } from '../api/client.ts';
import type { Entry } from '../shell/entries.ts';
import { useOffer } from '../shell/page-actions.ts';
import { Problem } from '../ui/Problem.tsx';
import { State } from '../ui/State.tsx';
import { timeOfDay } from '../ui/times.ts';
import styles from './Audit.module.css';

/** Looks through the whole chain when it is asked to: it takes a while when there is much. */
export function Verification() {
  const { data, error, isFetching, dataUpdatedAt, refetch } = useQuery({
    queryKey: ['audit-verification'],
    queryFn: ({ signal }) => api.verifyAudit({}, { signal, timeoutMs: 300_000 }),
    enabled: false,
  });
  useOffer(
    useMemo<Entry[]>(
      () => [{ id: 'verify', kind: 'action', name: 'Verify the audit', hint: 'action', run: () => void refetch() }],
      [refetch],
    ),
  );
  return (
    <div className={styles['verification']}>
      <Button variant="default" size="xs" onClick={() => void refetch()} aria-busy={isFetching}>
        {isFetching ? 'Verifying …' : 'Verify the chain'}
      </Button>
      <div role="status">
        {data !== undefined && error === null && (
          <>
            {data.found === 0 ? (
              <State level="healthy">
                {`Whole: ${plural(data.entries, 'entry', 'entries')}, none changed, none missing`}
              </State>
            ) : (
              <State level="critical">{`${plural(data.found, 'fault')} in ${formatCount(data.entries)} entries`}</State>
            )}{' '}
            <span className="muted">as of {timeOfDay(dataUpdatedAt)}</span>
          </>
        )}
      </div>
      {data !== undefined && data.findings.length > 0 && (
        <ul className={styles['findings']} aria-label="Faults">
          {data.findings.map(({ fault, seq, what }) => (
            <li key={`${fault} ${seq}`}>
              <strong>{fault}</strong> at {seq}: {what}
            </li>
          ))}
        </ul>
      )}
      {error !== null && <Problem error={error} />}
    </div>
  );
}
