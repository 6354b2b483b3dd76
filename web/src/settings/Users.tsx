import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReplyOf } from '../../../src/api/contract/client.ts';
import type { OrganizationView } from '../../../src/api/contract/organizations.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { useNow } from '../ui/clock.ts';
import { Confirm } from '../ui/Dialog.tsx';
import { ago } from '../ui/times.ts';
import { Loaded } from './Loaded.tsx';
import styles from './Settings.module.css';

type User = ReplyOf<'listUsers'>['users'][number];

/** Every user of the server, for whoever runs it. */
export function Users({ organizations }: { organizations: readonly OrganizationView[] }) {
  const users = useQuery({ queryKey: ['users'], queryFn: ({ signal }) => api.listUsers({}, { signal }) });
  return (
    <Loaded query={users}>
      {(data) => (
        <section className="panel" aria-label="Users">
          <header>
            <h2>Every user of this server</h2>
          </header>
          <ul className={styles['list']}>
            {data.users.map((user) => (
              <UserRow
                key={user.id}
                user={user}
                of={organizations.filter(({ id }) => user.organizations.includes(id)).map(({ name }) => name)}
              />
            ))}
          </ul>
        </section>
      )}
    </Loaded>
  );
}

interface Step {
  readonly verb: string;
  readonly title: string;
  readonly means: string;
  readonly ask: () => Promise<unknown>;
}

function UserRow({ user, of }: { user: User; of: readonly string[] }) {
  const { id, name, login, runsServer, disabledAt, signedInAt } = user;
  const [step, setStep] = useState<Step | null>(null);
  const now = useNow();
  const change = useChange((asked: Step) => asked.ask(), {
    touches: ['users', 'people', 'session'],
    onDone: () => setStep(null),
  });
  const steps: readonly Step[] = [
    {
      verb: runsServer ? 'No longer runs the server' : 'Runs the server',
      title: runsServer ? `Shall ${name} no longer run the server?` : `Shall ${name} run the server?`,
      means: runsServer
        ? 'They keep what they may do in organizations.'
        : 'They make organizations, move projects, shut users out. It gives no rights in any organization.',
      ask: () => api.setRunsServer({ user: id, runsServer: !runsServer }),
    },
    {
      verb: disabledAt === null ? 'Disable' : 'Enable',
      title: disabledAt === null ? `Disable ${name}?` : `Enable ${name}?`,
      means:
        disabledAt === null
          ? 'They are shut out at once, with all their sessions and tokens.'
          : 'They can sign in again, and their tokens count again.',
      ask: () => api.setDisabled({ user: id, disabled: disabledAt === null }),
    },
    {
      verb: 'Remove',
      title: `Remove ${name} for good?`,
      means: 'All that is theirs goes; what they did stays under their name.',
      ask: () => api.removeUser({ user: id }),
    },
  ];
  return (
    <li>
      <div className={styles['grow']}>
        <p>
          <strong>{name}</strong> <span className="muted">{login}</span>{' '}
          {runsServer && <span className={styles['tag']}>runs the server</span>}{' '}
          {disabledAt !== null && <span className={styles['tag']}>disabled</span>}
        </p>
        <p className="muted">
          {of.length === 0 ? 'in no organization' : of.join(', ')};{' '}
          {signedInAt === null ? 'has never signed in' : `signed in ${ago(signedInAt, now)}`}
        </p>
      </div>
      <div className="row">
        {steps.map((each) => (
          <Button
            key={each.verb}
            variant="default"
            size="xs"
            onClick={() => {
              change.reset();
              setStep(each);
            }}
          >
            {each.verb}
          </Button>
        ))}
      </div>
      {step !== null && (
        <Confirm
          title={step.title}
          means={step.means}
          verb={step.verb}
          busy={change.isPending}
          error={change.error}
          onClose={() => setStep(null)}
          onConfirm={() => change.mutate(step)}
        />
      )}
    </li>
  );
}
