import { useNavigate, useSearch } from '@tanstack/react-router';
import type { SignedInView } from '../../../src/api/contract/session.ts';
import { useWho } from '../api/session.ts';
import { Choice } from '../ui/Field.tsx';

type Organization = SignedInView['organizations'][number];

/** The one that the address names, or the first that one is in; null: one is in none. */
export function useOrganization(): Organization | null {
  const { organization } = useSearch({ strict: false });
  const organizations = useWho()?.organizations ?? [];
  return organizations.find(({ id }) => id === organization) ?? organizations[0] ?? null;
}

/** Whoever is in one alone never hears of it. */
export function OrganizationChoice() {
  const organizations = useWho()?.organizations ?? [];
  const chosen = useOrganization();
  const navigate = useNavigate();
  if (organizations.length < 2 || chosen === null) return null;
  return (
    <Choice
      label="Organization"
      value={chosen.id}
      onChange={({ target }) => void navigate({ to: '.', search: { organization: target.value } })}
    >
      {organizations.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Choice>
  );
}
