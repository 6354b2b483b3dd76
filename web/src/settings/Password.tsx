import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { plural } from '../../../src/lib/format.ts';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { Refusal, useWait } from '../session/Refusal.tsx';
import { Field } from '../ui/Field.tsx';
import styles from './Settings.module.css';

interface Props {
  hasPassword: boolean;
  login: string;
  /** How one signed in; null: nobody knows. */
  method: string | null;
}

export function Password({ hasPassword, login, method }: Props) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  // Whoever comes by a link has shown who they are already, and may have forgotten the present one.
  const asksCurrent = hasPassword && method !== 'link';
  const ask = useChange(() => api.setPassword({ password, ...(asksCurrent ? { current } : {}) }), {
    touches: ['session', 'sessions'],
    onDone() {
      setCurrent('');
      setPassword('');
    },
  });
  const wait = useWait(ask.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending && wait === 0) ask.mutate(undefined);
  };
  const done = ask.data;
  return (
    <section className="panel" aria-label="Password" id="password">
      <header>
        <h2>Password</h2>
        <span className="muted">
          {hasPassword ? 'You have one.' : 'You have none yet: without it you need another link the next time.'}
        </span>
      </header>
      <form className={`${styles['body']} ${styles['form']}`} onSubmit={submit}>
        {/* For whatever keeps passwords. */}
        <input type="text" name="username" autoComplete="username" value={login} readOnly hidden />
        {asksCurrent && (
          <Field
            label="Present password"
            type="password"
            autoComplete="current-password"
            required
            maxLength={1000}
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        )}
        <Field
          label="New password"
          hint="At least 12 characters. A few words that have nothing to do with each other do well."
          type="password"
          autoComplete="new-password"
          required
          maxLength={500}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Refusal error={ask.error} wait={wait} />
        <div className="row">
          <Button type="submit" size="xs" aria-busy={ask.isPending} disabled={wait > 0}>
            {hasPassword ? 'Change password' : 'Choose password'}
          </Button>
          <span role="status" className="muted">
            {done !== undefined &&
              `It is changed${done.ended === 0 ? '.' : `; ${plural(done.ended, 'other session')} ended.`}`}
          </span>
        </div>
      </form>
    </section>
  );
}
