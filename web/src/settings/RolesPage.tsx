import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { RoleView } from '../../../src/api/contract/roles.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import type { Entry } from '../shell/entries.ts';
import { useOffer } from '../shell/page-actions.ts';
import table from '../service/table.module.css';
import { Confirm } from '../ui/Dialog.tsx';
import { useTitle } from '../ui/title.ts';
import { Loaded } from './Loaded.tsx';
import { NoOrganization } from './NoOrganization.tsx';
import { useOrganization } from './organization.tsx';
import { ENVIRONMENT_PERMISSIONS, inWords, ORGANIZATION_PERMISSIONS } from './permissions.ts';
import { RoleEditor } from './RoleEditor.tsx';
import styles from './Settings.module.css';

/** What each role lets one do, side by side, and an organization's own ones. */
export function RolesPage() {
  useTitle('Roles');
  const organization = useOrganization();
  return organization === null ? <NoOrganization /> : <Roles key={organization.id} organization={organization.id} />;
}

/** `new`: one that is being made. */
type Open = { kind: 'edit'; role: RoleView | 'new' } | { kind: 'remove'; role: RoleView };

function Roles({ organization }: { organization: string }) {
  const { mayIn } = useMay();
  const [open, setOpen] = useState<Open | null>(null);
  const roles = useQuery({
    queryKey: ['roles', null, organization],
    queryFn: ({ signal }) => api.listRoles({ organization }, { signal }),
  });
  const close = (): void => setOpen(null);
  const remove = useChange((role: string) => api.removeRole({ organization, role }), {
    touches: ['roles'],
    onDone: close,
  });
  const writes = mayIn('roles:write', organization);
  useOffer(
    useMemo<Entry[]>(
      () =>
        writes
          ? [
              {
                id: 'role',
                kind: 'action',
                name: 'Make a role',
                hint: 'action',
                run: () => setOpen({ kind: 'edit', role: 'new' }),
              },
            ]
          : [],
      [writes],
    ),
  );
  return (
    <>
      <div className={styles['head']}>
        <div>
          <h1>Roles</h1>
          <p className="muted">A role is granted to a person for projects and environments, or everywhere.</p>
        </div>
        {writes && (
          <Button size="xs" onClick={() => setOpen({ kind: 'edit', role: 'new' })}>
            Make a role
          </Button>
        )}
      </div>
      <Loaded query={roles}>
        {(data) => (
          <section className="panel" aria-label="Roles">
            <div className={table['scroll']} tabIndex={0} role="region" aria-label="Table of roles">
              <table className={table['table']}>
                <thead>
                  <tr>
                    <th scope="col">May</th>
                    {data.roles.map((role) => (
                      <th key={role.name} scope="col">
                        <strong>{role.name}</strong>
                        {role.mayChange && (
                          <span className="row">
                            <button
                              type="button"
                              className="link plain"
                              aria-label={`Change ${role.name}`}
                              onClick={() => setOpen({ kind: 'edit', role })}
                            >
                              Change
                            </button>
                            <button
                              type="button"
                              className="link plain"
                              aria-label={`Remove ${role.name}`}
                              onClick={() => {
                                remove.reset();
                                setOpen({ kind: 'remove', role });
                              }}
                            >
                              Remove
                            </button>
                          </span>
                        )}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {[...ENVIRONMENT_PERMISSIONS, ...ORGANIZATION_PERMISSIONS].map((permission) => (
                    <tr key={permission}>
                      <th scope="row" title={permission}>
                        {inWords(permission)}
                      </th>
                      {data.roles.map((role) => (
                        <td key={role.name}>{role.permissions.includes(permission) ? <Yes /> : <No />}</td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
        )}
      </Loaded>
      {open?.kind === 'edit' && (
        <RoleEditor organization={organization} role={open.role === 'new' ? null : open.role} onClose={close} />
      )}
      {open?.kind === 'remove' && (
        <Confirm
          title={`Remove the role ${open.role.name}?`}
          means="Only a role that nobody has can be removed."
          verb="Remove"
          busy={remove.isPending}
          error={remove.error}
          onClose={close}
          onConfirm={() => remove.mutate(open.role.name)}
        />
      )}
    </>
  );
}

const Yes = () => (
  <>
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d="m2 6.4 2.7 2.7L10 3.4" fill="none" stroke="var(--ok)" strokeWidth="1.8" strokeLinecap="round" />
    </svg>
    <span className="hidden">yes</span>
  </>
);

const No = () => <span className="muted">–</span>;
