import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import { useMay } from '../api/may.ts';
import type { Entry } from '../shell/entries.ts';
import { useOffer } from '../shell/page-actions.ts';
import { useTitle } from '../ui/title.ts';
import { Invite } from './Invite.tsx';
import { Loaded } from './Loaded.tsx';
import { NoOrganization } from './NoOrganization.tsx';
import { useOrganization } from './organization.tsx';
import { Person } from './Person.tsx';
import styles from './Settings.module.css';

/** Who is in an organization, and what they may do there. */
export function PeoplePage() {
  useTitle('People');
  const organization = useOrganization();
  return organization === null ? <NoOrganization /> : <People key={organization.id} {...organization} />;
}

function People({ id, name }: { id: string; name: string }) {
  const { mayIn } = useMay();
  const [inviting, setInviting] = useState(false);
  const people = useQuery({
    queryKey: ['people', null, id],
    queryFn: ({ signal }) => api.listPeople({ organization: id }, { signal }),
  });
  const manages = mayIn('people:write', id);
  useOffer(
    useMemo<Entry[]>(
      () =>
        manages
          ? [{ id: 'invite', kind: 'action', name: 'Invite a person', hint: 'action', run: () => setInviting(true) }]
          : [],
      [manages],
    ),
  );
  return (
    <>
      <div className={styles['head']}>
        <div>
          <h1>People</h1>
          <p className="muted">Who is in {name}, and what they were granted.</p>
        </div>
        {manages && (
          <Button size="xs" onClick={() => setInviting(true)}>
            Invite
          </Button>
        )}
      </div>
      <Loaded query={people}>
        {(data) => (
          <section className="panel" aria-label="People">
            <ul className={styles['list']}>
              {data.people.map((member) => (
                <Person key={member.user.id} organization={id} member={member} manages={manages} />
              ))}
            </ul>
          </section>
        )}
      </Loaded>
      {inviting && <Invite organization={id} onClose={() => setInviting(false)} />}
    </>
  );
}
