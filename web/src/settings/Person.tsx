import { Button } from '@mantine/core';
import { useState } from 'react';
import type { GrantView, MemberView } from '../../../src/api/contract/people.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { useNow } from '../ui/clock.ts';
import { Buttons, Confirm, Dialog } from '../ui/Dialog.tsx';
import { ago } from '../ui/times.ts';
import { AddGrant } from './AddGrant.tsx';
import { InvitationLink } from './InvitationLink.tsx';
import styles from './Settings.module.css';

interface Props {
  organization: string;
  member: MemberView;
  /** Whoever looks may change who is in the organization. */
  manages: boolean;
}

type Asked = { kind: 'grant' } | { kind: 'remove' } | { kind: 'factor' } | { kind: 'take'; grant: GrantView };

/** A member with their grants, and what may be done about them by whoever looks. */
export function Person({ organization, member, manages }: Props) {
  const { user, grants, mayRemove, mayHelp } = member;
  const [asked, setAsked] = useState<Asked | null>(null);
  const now = useNow();
  const close = (): void => setAsked(null);
  const done = { touches: ['people'] as const, onDone: close };
  const whom = { organization, user: user.id };
  const take = useChange((grant: string) => api.removeGrant({ ...whom, grant }), done);
  const remove = useChange(() => api.removePerson(whom), done);
  const factor = useChange(() => api.removeSecondFactorOf(whom), done);
  const link = useChange(
    () => api.makeSignInLink({ ...whom, purpose: user.signedInAt === null ? 'invitation' : 'reset' }),
    { touches: ['people'] },
  );
  const open = (next: Asked): void => {
    for (const each of [take, remove, factor]) each.reset();
    setAsked(next);
  };
  return (
    <li>
      <div className={styles['grow']}>
        <p>
          <strong>{user.name}</strong> <span className="muted">{user.login}</span>{' '}
          {user.runsServer && <span className={styles['tag']}>runs the server</span>}{' '}
          {user.disabledAt !== null && <span className={styles['tag']}>disabled</span>}
        </p>
        <p className="muted">
          {user.signedInAt === null ? 'has never signed in' : `signed in ${ago(user.signedInAt, now)}`}
          {user.hasSecondFactor ? ', with a second factor' : ', without a second factor'}
        </p>
        <div className={styles['grants']}>
          {grants.length === 0 && <span className="muted">no grants: sees nothing yet</span>}
          {grants.map((grant) => (
            <span key={grant.id} className={`${styles['grant']} ${grant.mayRemove && manages ? '' : styles['fixed']}`}>
              <span>
                <strong>{grant.role}</strong> {placeOf(grant)}
              </span>
              {grant.mayRemove && manages && (
                <button
                  type="button"
                  className={styles['take']}
                  aria-label={`Take ${grant.role} ${placeOf(grant)} from ${user.name}`}
                  onClick={() => open({ kind: 'take', grant })}
                >
                  ×
                </button>
              )}
            </span>
          ))}
        </div>
      </div>
      {manages && (
        <div className="row">
          <Button variant="default" size="xs" onClick={() => open({ kind: 'grant' })}>
            Grant
          </Button>
          {mayHelp && (
            <Button variant="default" size="xs" aria-busy={link.isPending} onClick={() => link.mutate(undefined)}>
              Sign-in link
            </Button>
          )}
          {mayHelp && user.hasSecondFactor && (
            <Button variant="default" size="xs" onClick={() => open({ kind: 'factor' })}>
              Lost second factor
            </Button>
          )}
          {mayRemove && (
            <Button
              variant="default"
              size="xs"
              className={styles['danger'] ?? ''}
              onClick={() => open({ kind: 'remove' })}
            >
              Remove
            </Button>
          )}
        </div>
      )}
      {asked?.kind === 'grant' && <AddGrant {...whom} name={user.name} onClose={close} />}
      {asked?.kind === 'take' && (
        <Confirm
          title={`Take ${asked.grant.role} from ${user.name}?`}
          means={`They lose what it allows ${placeOf(asked.grant)}, at once.`}
          verb="Take it"
          busy={take.isPending}
          error={take.error}
          onClose={close}
          onConfirm={() => take.mutate(asked.grant.id)}
        />
      )}
      {asked?.kind === 'remove' && (
        <Confirm
          title={`Remove ${user.name}?`}
          means="They leave this organization, with their grants and their tokens of it. They stay a user of the server."
          verb="Remove"
          busy={remove.isPending}
          error={remove.error}
          onClose={close}
          onConfirm={() => remove.mutate(undefined)}
        />
      )}
      {asked?.kind === 'factor' && (
        <Confirm
          title={`Take the second factor of ${user.name} away?`}
          means="Their password alone lets them in until they set up another one. Be sure that it is they who ask."
          verb="Take it away"
          busy={factor.isPending}
          error={factor.error}
          onClose={close}
          onConfirm={() => factor.mutate(undefined)}
        />
      )}
      {(link.data !== undefined || link.error !== null) && (
        <Dialog title={`A way in for ${user.name}`} once={link.data !== undefined} onClose={link.reset}>
          <InvitationLink link={link.data?.link ?? null} error={link.error} />
          <Buttons>
            <Button variant="default" size="sm" onClick={link.reset}>
              Done
            </Button>
          </Buttons>
        </Dialog>
      )}
    </li>
  );
}

const placeOf = ({ project, environment }: Pick<GrantView, 'project' | 'environment'>): string =>
  project === '*' && environment === '*' ? 'everywhere' : `in ${environment} of ${project === '*' ? 'all' : project}`;
