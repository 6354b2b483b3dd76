import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { OrganizationView } from '../../../src/api/contract/organizations.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { Buttons, Dialog } from '../ui/Dialog.tsx';
import { Choice, Field } from '../ui/Field.tsx';
import { Problem } from '../ui/Problem.tsx';

/** Makes a project another organization's. */
export function MoveProject({
  organizations,
  onClose,
}: {
  organizations: readonly OrganizationView[];
  onClose: () => void;
}) {
  const [project, setProject] = useState('');
  const [organization, setOrganization] = useState(organizations[0]?.id ?? '');
  const ask = useChange(() => api.moveProject({ project, organization }), {
    touches: ['organizations', 'session', 'overview'],
    onDone: onClose,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending) ask.mutate(undefined);
  };
  return (
    <Dialog title="Move a project" onClose={onClose}>
      <p className="muted">
        With its environments and all that is recorded of it. Who may do what there changes at once.
      </p>
      <form onSubmit={submit}>
        <Field
          label="Project"
          data-autofocus
          required
          maxLength={80}
          value={project}
          onChange={(event) => setProject(event.target.value)}
        />
        <Choice label="To" value={organization} onChange={(event) => setOrganization(event.target.value)}>
          {organizations.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Choice>
        {ask.error !== null && <Problem error={ask.error} />}
        <Buttons>
          <Button variant="default" size="sm" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" size="sm" aria-busy={ask.isPending}>
            Move
          </Button>
        </Buttons>
      </form>
    </Dialog>
  );
}
