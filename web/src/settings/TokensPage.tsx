import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import type { Entry } from '../shell/entries.ts';
import { useOffer } from '../shell/page-actions.ts';
import { Empty } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useTitle } from '../ui/title.ts';
import { CreateToken } from './CreateToken.tsx';
import { Tokens } from './Tokens.tsx';
import styles from './Settings.module.css';

/** One's own tokens: by which programs ask the API for one. */
export function TokensPage() {
  useTitle('My tokens');
  const [creating, setCreating] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ['tokens', null, 'own'],
    queryFn: ({ signal }) => api.listTokens({}, { signal }),
  });
  useOffer(
    useMemo<Entry[]>(
      () => [{ id: 'token', kind: 'action', name: 'Create a token', hint: 'action', run: () => setCreating(true) }],
      [],
    ),
  );
  return (
    <>
      <div className={styles['head']}>
        <div>
          <h1>My tokens</h1>
          <p className="muted">Programs ask with them what you may ask, and never more than they were made for.</p>
        </div>
        <Button size="xs" onClick={() => setCreating(true)}>
          Create token
        </Button>
      </div>
      {data === undefined ? (
        error === null ? (
          <PageSkeleton />
        ) : (
          <Problem error={error} retry={() => void refetch()} />
        )
      ) : (
        <section className="panel" aria-label="My tokens">
          {data.tokens.length === 0 ? (
            <Empty title="You have no tokens">Create one for a program, such as the pipeline that deploys.</Empty>
          ) : (
            <Tokens tokens={data.tokens} owners={false} />
          )}
        </section>
      )}
      {creating && <CreateToken onClose={() => setCreating(false)} />}
    </>
  );
}
