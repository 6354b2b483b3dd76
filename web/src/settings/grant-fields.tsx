import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client.ts';
import { Choice, Field } from '../ui/Field.tsx';
import styles from './Settings.module.css';

export interface GrantInput {
  role: string;
  project: string;
  environment: string;
}

interface Props {
  organization: string;
  grant: GrantInput;
  onChange: (grant: GrantInput) => void;
  /** There may be none. */
  none?: boolean;
}

/** A role, and where it holds. */
export function GrantFields({ organization, grant, onChange, none = false }: Props) {
  const { data } = useQuery({
    queryKey: ['roles', null, organization],
    queryFn: ({ signal }) => api.listRoles({ organization }, { signal }),
  });
  return (
    <>
      <Choice
        label="Role"
        value={grant.role}
        hint="You can give what you have yourself."
        onChange={(event) => onChange({ ...grant, role: event.target.value })}
      >
        {none && <option value="">none yet</option>}
        {(data?.roles ?? []).map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </Choice>
      {grant.role !== '' && (
        <div className={styles['pair']}>
          <Field
            label="Project"
            hint="* stands for any characters."
            required
            value={grant.project}
            onChange={(event) => onChange({ ...grant, project: event.target.value })}
          />
          <Field
            label="Environment"
            hint="For example staging, or *."
            required
            value={grant.environment}
            onChange={(event) => onChange({ ...grant, environment: event.target.value })}
          />
        </div>
      )}
    </>
  );
}
