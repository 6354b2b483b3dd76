import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useWho } from '../api/session.ts';
import { Choice, Field } from '../ui/Field.tsx';
import { type AuditSearch, auditSearch, filterOf, RESULTS } from './search.ts';
import { OPERATIONS } from './words.ts';
import styles from './Audit.module.css';

/** What is looked for; it goes into the address, so that it can be sent to somebody. */
export function Filters({ search }: { search: AuditSearch }) {
  const [wanted, setWanted] = useState(search);
  const navigate = useNavigate();
  const organizations = useWho()?.organizations ?? [];
  const active = Object.keys(filterOf(search)).length;
  // On a phone it would push away what was found.
  const [opened] = useState(() => active > 0 || matchMedia('(min-width: 821px)').matches);
  const go = (next: AuditSearch): void => {
    setWanted(next);
    void navigate({ to: '/audit', search: auditSearch({ ...next, act: undefined }) });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    go(wanted);
  };
  const text = (name: 'who' | 'project' | 'environment') => ({
    value: wanted[name] ?? '',
    maxLength: 200,
    autoCapitalize: 'none',
    spellCheck: false,
    onChange: (event: { target: HTMLInputElement }) => setWanted({ ...wanted, [name]: event.target.value }),
    onBlur: () => (wanted[name] ?? '') !== (search[name] ?? '') && go(wanted),
  });
  const time = (name: 'from' | 'to') => ({
    type: 'datetime-local',
    value: wanted[name] === undefined ? '' : asLocal(wanted[name]),
    onChange: (event: { target: HTMLInputElement }) => {
      const at = new Date(event.target.value).getTime();
      setWanted({ ...wanted, [name]: Number.isNaN(at) ? undefined : at });
    },
    onBlur: () => wanted[name] !== search[name] && go(wanted),
  });
  return (
    <details className={`panel ${styles['filters']}`} open={opened}>
      <summary>{active === 0 ? 'Filter' : `Filter: ${active} in force`}</summary>
      <form onSubmit={submit} role="search" aria-label="Filter">
        <Field label="Who" {...text('who')} />
        <Choice
          label="What"
          value={wanted.operation ?? ''}
          onChange={({ target }) => go({ ...wanted, operation: target.value })}
        >
          <option value="">everything</option>
          {OPERATIONS.map(({ id, words }) => (
            <option key={id} value={id}>
              {words}
            </option>
          ))}
        </Choice>
        {organizations.length > 1 && (
          <Choice
            label="Organization"
            value={wanted.organization ?? ''}
            onChange={({ target }) => go({ ...wanted, organization: target.value })}
          >
            <option value="">all of mine</option>
            {organizations.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Choice>
        )}
        <Field label="Project" {...text('project')} />
        <Field label="Environment" {...text('environment')} />
        <Choice
          label="Result"
          value={wanted.result ?? ''}
          onChange={({ target }) => go(auditSearch({ ...wanted, result: target.value }))}
        >
          <option value="">any</option>
          {RESULTS.map((result) => (
            <option key={result} value={result}>
              {result}
            </option>
          ))}
        </Choice>
        <Field label="From" {...time('from')} />
        <Field label="To" {...time('to')} />
        <div className={styles['buttons']}>
          <Button type="submit" variant="default" size="xs">
            Filter
          </Button>
          {active > 0 && (
            <Button variant="default" size="xs" onClick={() => go({})}>
              Clear
            </Button>
          )}
        </div>
      </form>
    </details>
  );
}

/** As such a field wants it: in the time of whoever looks. */
function asLocal(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
