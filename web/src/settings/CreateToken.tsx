import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import type { Permission } from '../api/may.ts';
import { useWho } from '../api/session.ts';
import { Buttons, Dialog } from '../ui/Dialog.tsx';
import { Choice, Field } from '../ui/Field.tsx';
import { Problem } from '../ui/Problem.tsx';
import { ShownOnce } from '../ui/ShownOnce.tsx';
import { Permissions } from './Permissions.tsx';
import { ENVIRONMENT_PERMISSIONS, ORGANIZATION_PERMISSIONS } from './permissions.ts';

const DAY_MS = 24 * 3_600_000;
const LASTS = [
  { days: 30, name: '30 days' },
  { days: 90, name: '90 days' },
  { days: 365, name: 'a year' },
] as const;

/** Asks what it is for, and shows it once. */
export function CreateToken({ onClose }: { onClose: () => void }) {
  const organizations = useWho()?.organizations ?? [];
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [organization, setOrganization] = useState('');
  const [project, setProject] = useState('*');
  const [environment, setEnvironment] = useState('*');
  const [all, setAll] = useState(true);
  const [permissions, setPermissions] = useState<readonly Permission[]>(['environment:read']);
  const ask = useChange(
    () =>
      api.createToken({
        name,
        organization: organization === '' ? null : organization,
        project,
        environment,
        permissions: all ? null : [...permissions],
        expiresAt: days === '' ? null : Date.now() + Number(days) * DAY_MS,
      }),
    { touches: ['tokens'] },
  );
  const made = ask.data;
  if (made !== undefined)
    return (
      <Dialog title={`The token ${made.token.name}`} once onClose={onClose}>
        <ShownOnce label="Token" text={made.text} />
        <p className="muted">
          Programs send it as <code>Authorization: Bearer …</code>. Keep it where secrets are kept.
        </p>
        <Buttons>
          <Button size="sm" variant="default" onClick={onClose}>
            I have it
          </Button>
        </Buttons>
      </Dialog>
    );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending) ask.mutate(undefined);
  };
  return (
    <Dialog title="Create a token" onClose={onClose}>
      <form onSubmit={submit}>
        <Field
          label="Name"
          hint="What uses it, so that you know it again."
          data-autofocus
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Choice label="Lasts" value={days} onChange={(event) => setDays(event.target.value)}>
          {LASTS.map((each) => (
            <option key={each.days} value={each.days}>
              {each.name}
            </option>
          ))}
          <option value="">until it is revoked</option>
        </Choice>
        {organizations.length > 1 && (
          <Choice label="Organization" value={organization} onChange={(event) => setOrganization(event.target.value)}>
            <option value="">all of mine</option>
            {organizations.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </Choice>
        )}
        <Field
          label="Project"
          hint="* stands for any characters: * is every project."
          required
          value={project}
          onChange={(event) => setProject(event.target.value)}
        />
        <Field
          label="Environment"
          required
          value={environment}
          onChange={(event) => setEnvironment(event.target.value)}
        />
        <Choice label="May do" value={all ? 'all' : 'some'} onChange={(event) => setAll(event.target.value === 'all')}>
          <option value="all">everything that I may, at any time</option>
          <option value="some">only some of it</option>
        </Choice>
        {!all && (
          <>
            <Permissions
              legend="In environments"
              of={ENVIRONMENT_PERMISSIONS}
              chosen={permissions}
              onChange={setPermissions}
            />
            <Permissions
              legend="In the organization"
              of={ORGANIZATION_PERMISSIONS}
              chosen={permissions}
              onChange={setPermissions}
            />
          </>
        )}
        {ask.error !== null && <Problem error={ask.error} />}
        <Buttons>
          <Button variant="default" size="sm" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" size="sm" aria-busy={ask.isPending} disabled={!all && permissions.length === 0}>
            Create token
          </Button>
        </Buttons>
      </form>
    </Dialog>
  );
}
