import { Button } from '@mantine/core';
import { useState } from 'react';
import type { TokenView } from '../../../src/api/contract/tokens.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { useWho } from '../api/session.ts';
import { useNow } from '../ui/clock.ts';
import { Confirm } from '../ui/Dialog.tsx';
import { ago, dateAndTime, fullTime } from '../ui/times.ts';
import styles from './Settings.module.css';

/** Tokens with what they are for, when they were used, and the way to end them. */
export function Tokens({ tokens, owners }: { tokens: readonly TokenView[]; owners: boolean }) {
  const [chosen, setChosen] = useState<TokenView | null>(null);
  const now = useNow();
  const revoke = useChange((token: string) => api.revokeToken({ token }), {
    touches: ['tokens'],
    onDone: () => setChosen(null),
  });
  return (
    <>
      <ul className={styles['list']} aria-label="Tokens">
        {tokens.map((token) => (
          <li key={token.id}>
            <div className={styles['grow']}>
              <p>
                <strong>{token.name}</strong> <code className="muted">{token.prefix}…</code>{' '}
                {token.expiresAt !== null && token.expiresAt <= now && <span className={styles['tag']}>expired</span>}
              </p>
              <p className="muted">
                {owners && `of ${token.owner.login}; `}
                <Scope token={token} />
              </p>
              <p className="muted">
                <span title={fullTime(token.createdAt)}>made {ago(token.createdAt, now)}</span>,{' '}
                {token.usedAt === null ? 'never used' : `used ${ago(token.usedAt, now)}`}
                {token.usedFrom === null ? '' : ` from ${token.usedFrom}`},{' '}
                {token.expiresAt === null ? 'never expires' : `until ${dateAndTime(token.expiresAt)}`}
              </p>
            </div>
            {token.mayRevoke && (
              <Button
                variant="default"
                size="xs"
                className={styles['danger'] ?? ''}
                onClick={() => {
                  revoke.reset();
                  setChosen(token);
                }}
              >
                Revoke
              </Button>
            )}
          </li>
        ))}
      </ul>
      {chosen !== null && (
        <Confirm
          title={`Revoke ${chosen.name}?`}
          means="Whatever uses it is refused from now on. There is no way back but a new token."
          verb="Revoke"
          busy={revoke.isPending}
          error={revoke.error}
          onClose={() => setChosen(null)}
          onConfirm={() => revoke.mutate(chosen.id)}
        />
      )}
    </>
  );
}

function Scope({ token: { organization, permissions, project, environment } }: { token: TokenView }) {
  const organizations = useWho()?.organizations ?? [];
  const name = organizations.find(({ id }) => id === organization)?.name ?? organization;
  return (
    <>
      {permissions === null ? 'everything its owner may' : permissions.join(', ')}, in{' '}
      {project === '*' && environment === '*' ? 'all environments' : `${environment} of ${project}`}
      {organization === null ? '' : ` of ${name}`}
    </>
  );
}
