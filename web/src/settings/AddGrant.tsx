import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { Buttons, Dialog } from '../ui/Dialog.tsx';
import { Problem } from '../ui/Problem.tsx';
import { GrantFields, type GrantInput } from './grant-fields.tsx';

interface Props {
  organization: string;
  user: string;
  name: string;
  onClose: () => void;
}

export function AddGrant({ organization, user, name, onClose }: Props) {
  const [grant, setGrant] = useState<GrantInput>({ role: 'viewer', project: '*', environment: '*' });
  const ask = useChange(() => api.addGrant({ organization, user, ...grant }), { touches: ['people'], onDone: onClose });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending) ask.mutate(undefined);
  };
  return (
    <Dialog title={`Grant ${name} a role`} onClose={onClose}>
      <form onSubmit={submit}>
        <GrantFields organization={organization} grant={grant} onChange={setGrant} />
        {ask.error !== null && <Problem error={ask.error} />}
        <Buttons>
          <Button variant="default" size="sm" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" size="sm" aria-busy={ask.isPending}>
            Grant
          </Button>
        </Buttons>
      </form>
    </Dialog>
  );
}
