import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { OrganizationView } from '../../../src/api/contract/organizations.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { useNow } from '../ui/clock.ts';
import { Buttons, Confirm, Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { Problem } from '../ui/Problem.tsx';
import { ago } from '../ui/times.ts';
import { useTitle } from '../ui/title.ts';
import { Loaded } from './Loaded.tsx';
import { MoveProject } from './MoveProject.tsx';
import { Users } from './Users.tsx';
import styles from './Settings.module.css';

/** Organizations, which keep projects and people apart, and every user of the server. */
export function OrganizationsPage() {
  useTitle('Organizations');
  const { mayServer } = useMay();
  const manages = mayServer('organizations:manage');
  const [open, setOpen] = useState<'create' | 'move' | null>(null);
  const organizations = useQuery({
    queryKey: ['organizations'],
    queryFn: ({ signal }) => api.listOrganizations({}, { signal }),
  });
  return (
    <>
      <div className={styles['head']}>
        <div>
          <h1>Organizations</h1>
          <p className="muted">Each has its own projects and people, and sees nothing of the others.</p>
        </div>
        {manages && (
          <div className="row">
            <Button variant="default" size="xs" onClick={() => setOpen('move')}>
              Move a project
            </Button>
            <Button size="xs" onClick={() => setOpen('create')}>
              Make an organization
            </Button>
          </div>
        )}
      </div>
      <Loaded query={organizations}>
        {(data) => (
          <>
            <section className="panel" aria-label="Organizations">
              <ul className={styles['list']}>
                {data.organizations.map((each) => (
                  <Organization key={each.id} organization={each} manages={manages} />
                ))}
              </ul>
            </section>
            {manages && <Users organizations={data.organizations} />}
            {open === 'move' && <MoveProject organizations={data.organizations} onClose={() => setOpen(null)} />}
          </>
        )}
      </Loaded>
      {open === 'create' && <NameDialog id={null} name="" onClose={() => setOpen(null)} />}
    </>
  );
}

function Organization({ organization, manages }: { organization: OrganizationView; manages: boolean }) {
  const { id, name, createdAt } = organization;
  const { mayIn } = useMay();
  const [open, setOpen] = useState<'rename' | 'remove' | null>(null);
  const now = useNow();
  const close = (): void => setOpen(null);
  const remove = useChange(() => api.removeOrganization({ organization: id }), {
    touches: ['organizations', 'session'],
    onDone: close,
  });
  return (
    <li>
      <div className={styles['grow']}>
        <p>
          <strong>{name}</strong>
        </p>
        <p className="muted">{createdAt === 0 ? 'there from the beginning' : `made ${ago(createdAt, now)}`}</p>
      </div>
      <div className="row">
        {mayIn('organization:write', id) && (
          <Button variant="default" size="xs" onClick={() => setOpen('rename')}>
            Rename
          </Button>
        )}
        {manages && id !== 'default' && (
          <Button
            variant="default"
            size="xs"
            className={styles['danger'] ?? ''}
            onClick={() => {
              remove.reset();
              setOpen('remove');
            }}
          >
            Remove
          </Button>
        )}
      </div>
      {open === 'rename' && <NameDialog id={id} name={name} onClose={close} />}
      {open === 'remove' && (
        <Confirm
          title={`Remove ${name}?`}
          means="Its memberships, roles, grants and tokens go with it. It must have no projects."
          verb="Remove"
          busy={remove.isPending}
          error={remove.error}
          onClose={close}
          onConfirm={() => remove.mutate(undefined)}
        />
      )}
    </li>
  );
}

/** @param id null: of one that is made */
function NameDialog({ id, name: former, onClose }: { id: string | null; name: string; onClose: () => void }) {
  const [name, setName] = useState(former);
  const ask = useChange<undefined, unknown>(
    () => (id === null ? api.createOrganization({ name }) : api.renameOrganization({ organization: id, name })),
    { touches: ['organizations', 'session'], onDone: onClose },
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending) ask.mutate(undefined);
  };
  return (
    <Dialog title={id === null ? 'Make an organization' : `Rename ${former}`} onClose={onClose}>
      <form onSubmit={submit}>
        <Field
          label="Name"
          data-autofocus
          required
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        {ask.error !== null && <Problem error={ask.error} />}
        <Buttons>
          <Button variant="default" size="sm" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" size="sm" aria-busy={ask.isPending}>
            {id === null ? 'Make' : 'Rename'}
          </Button>
        </Buttons>
      </form>
    </Dialog>
  );
}
