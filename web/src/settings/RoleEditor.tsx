import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { RoleView } from '../../../src/api/contract/roles.ts';
import type { InputOf } from '../../../src/api/contract/client.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import type { Permission } from '../api/may.ts';
import { Buttons, Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { Problem } from '../ui/Problem.tsx';
import { Permissions } from './Permissions.tsx';
import { ENVIRONMENT_PERMISSIONS, ORGANIZATION_PERMISSIONS } from './permissions.ts';

interface Props {
  organization: string;
  /** Null: a new one. */
  role: RoleView | null;
  onClose: () => void;
}

export function RoleEditor({ organization, role, onClose }: Props) {
  const [name, setName] = useState(role?.name ?? '');
  const [permissions, setPermissions] = useState<readonly Permission[]>(role?.permissions ?? ['environment:read']);
  const ask = useChange(
    () =>
      api.saveRole({
        organization,
        role: name,
        // The server's own are not among those that can be ticked.
        permissions: [...permissions] as InputOf<'saveRole'>['permissions'],
      }),
    { touches: ['roles', 'people'], onDone: onClose },
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending) ask.mutate(undefined);
  };
  return (
    <Dialog title={role === null ? 'Make a role' : `Change ${role.name}`} onClose={onClose}>
      <form onSubmit={submit}>
        {role === null && (
          <Field
            label="Name"
            hint="Small letters, digits and dashes."
            data-autofocus
            autoCapitalize="none"
            required
            maxLength={40}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
        <Permissions
          legend="In environments"
          of={ENVIRONMENT_PERMISSIONS}
          chosen={permissions}
          onChange={setPermissions}
        />
        <Permissions
          legend="In the organization, when it is granted everywhere"
          of={ORGANIZATION_PERMISSIONS}
          chosen={permissions}
          onChange={setPermissions}
        />
        {ask.error !== null && <Problem error={ask.error} />}
        <Buttons>
          <Button variant="default" size="sm" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" size="sm" aria-busy={ask.isPending} disabled={permissions.length === 0}>
            Save
          </Button>
        </Buttons>
      </form>
    </Dialog>
  );
}
