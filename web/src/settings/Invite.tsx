import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { Buttons, Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { Problem } from '../ui/Problem.tsx';
import { GrantFields, type GrantInput } from './grant-fields.tsx';
import { InvitationLink } from './InvitationLink.tsx';

/** Makes somebody a member; somebody new gets a link to sign in with. */
export function Invite({ organization, onClose }: { organization: string; onClose: () => void }) {
  const [login, setLogin] = useState('');
  const [name, setName] = useState('');
  const [grant, setGrant] = useState<GrantInput>({ role: 'viewer', project: '*', environment: '*' });
  const ask = useChange(
    () =>
      api.invitePerson({
        organization,
        login,
        ...(name.trim() === '' ? {} : { name }),
        grants: grant.role === '' ? [] : [grant],
      }),
    { touches: ['people'] },
  );
  if (ask.data !== undefined)
    return (
      <Dialog title={`${ask.data.user.name} is a member now`} once={ask.data.link !== null} onClose={onClose}>
        <InvitationLink link={ask.data.link} />
        <Buttons>
          <Button variant="default" size="sm" onClick={onClose}>
            Done
          </Button>
        </Buttons>
      </Dialog>
    );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending) ask.mutate(undefined);
  };
  return (
    <Dialog title="Invite a person" onClose={onClose}>
      <form onSubmit={submit}>
        <Field
          label="Sign-in name"
          hint="An e-mail address, or a short name."
          data-autofocus
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
          maxLength={200}
          value={login}
          onChange={(event) => setLogin(event.target.value)}
        />
        <Field
          label="Name"
          hint="As others read it. Empty: as they sign in."
          autoComplete="off"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <GrantFields organization={organization} grant={grant} onChange={setGrant} none />
        {ask.error !== null && <Problem error={ask.error} />}
        <Buttons>
          <Button variant="default" size="sm" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" size="sm" aria-busy={ask.isPending}>
            Invite
          </Button>
        </Buttons>
      </form>
    </Dialog>
  );
}
