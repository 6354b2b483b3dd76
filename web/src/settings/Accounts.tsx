import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReplyOf } from '../../../src/api/contract/client.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { useNow } from '../ui/clock.ts';
import { Confirm } from '../ui/Dialog.tsx';
import { Problem } from '../ui/Problem.tsx';
import { ago } from '../ui/times.ts';
import styles from './Settings.module.css';

type Account = ReplyOf<'listAccounts'>['accounts'][number];

/** Accounts elsewhere by which one signs in; nothing, where nobody can. */
export function Accounts() {
  const [chosen, setChosen] = useState<Account | null>(null);
  const now = useNow();
  const { data, error, refetch } = useQuery({
    queryKey: ['accounts'],
    queryFn: ({ signal }) => api.listAccounts({}, { signal }),
  });
  const unlink = useChange(({ issuer, subject }: Account) => api.unlinkAccount({ issuer, subject }), {
    touches: ['accounts', 'sessions'],
    onDone: () => setChosen(null),
  });
  if (data === undefined) return error === null ? null : <Problem error={error} retry={() => void refetch()} />;
  const { accounts, providers } = data;
  if (accounts.length === 0 && providers.length === 0) return null;
  const free = providers.filter(({ id }) => !accounts.some(({ provider }) => provider?.id === id));
  return (
    <section className="panel" aria-label="Accounts elsewhere">
      <header>
        <h2>Accounts elsewhere</h2>
        <span className="muted">With them you sign in without a password of here.</span>
      </header>
      <ul className={styles['list']}>
        {accounts.map((account) => (
          <li key={`${account.issuer} ${account.subject}`}>
            <div className={styles['grow']}>
              <p>{account.provider?.name ?? account.issuer}</p>
              <p className="muted">
                {account.subject}, linked {ago(account.linkedAt, now)}
                {account.provider === null && '; nobody signs in there any more'}
              </p>
            </div>
            <Button
              variant="default"
              size="xs"
              onClick={() => {
                unlink.reset();
                setChosen(account);
              }}
            >
              Unlink
            </Button>
          </li>
        ))}
        {free.map(({ id, name }) => (
          <li key={id}>
            <div className={styles['grow']}>{name}</div>
            {/* A page of the server, which leads to the provider and back. */}
            <Button component="a" variant="default" size="xs" href={`/sign-in/oidc/${encodeURIComponent(id)}?link`}>
              Link my account
            </Button>
          </li>
        ))}
      </ul>
      {chosen !== null && (
        <Confirm
          title={`Unlink ${chosen.provider?.name ?? chosen.issuer}?`}
          means="You sign in with it no more, and all your other sessions end."
          verb="Unlink"
          busy={unlink.isPending}
          error={unlink.error}
          onClose={() => setChosen(null)}
          onConfirm={() => unlink.mutate(chosen)}
        />
      )}
    </section>
  );
}
