import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { Refusal, useWait } from '../session/Refusal.tsx';
import { Field } from '../ui/Field.tsx';
import { Problem } from '../ui/Problem.tsx';
import { QrCode } from './QrCode.tsx';
import styles from './Settings.module.css';

/** A code of an authenticator app beside the password. */
export function SecondFactor({ has, hasPassword }: { has: boolean; hasPassword: boolean }) {
  const [secret, setSecret] = useState<{ secret: string; uri: string } | null>(null);
  const [removing, setRemoving] = useState(false);
  const begin = useChange(() => api.beginSecondFactor({}), { touches: [], onDone: setSecret });
  const close = (): void => {
    setSecret(null);
    setRemoving(false);
  };
  return (
    <section className="panel" aria-label="Second factor">
      <header>
        <h2>Second factor</h2>
        <span className="muted">
          {has ? 'On: signing in asks for a code of your authenticator app.' : 'Off: your password alone lets you in.'}
        </span>
      </header>
      <div className={styles['body']}>
        {secret !== null && !has ? (
          <div className={styles['factor']}>
            <QrCode text={secret.uri} label="For your authenticator app" />
            <div>
              <p>
                Scan this with your authenticator app, or type its key in there: <code>{secret.secret}</code>
              </p>
              <CodeForm verb="Turn on" ask={(code) => api.confirmSecondFactor({ code })} onDone={close} />
            </div>
          </div>
        ) : removing && has ? (
          <CodeForm verb="Turn off" ask={(code) => api.removeSecondFactor({ code })} onDone={close} />
        ) : has ? (
          <Button className={styles['start'] ?? ''} variant="default" size="xs" onClick={() => setRemoving(true)}>
            Turn off …
          </Button>
        ) : (
          <>
            {!hasPassword && <p className="muted">It stands beside a password, and you have none yet.</p>}
            <Button
              className={styles['start'] ?? ''}
              variant="default"
              size="xs"
              aria-busy={begin.isPending}
              onClick={() => begin.mutate(undefined)}
            >
              Set up …
            </Button>
          </>
        )}
        {begin.error !== null && <Problem error={begin.error} />}
      </div>
    </section>
  );
}

interface CodeProps {
  verb: string;
  ask: (code: string) => Promise<unknown>;
  onDone: () => void;
}

function CodeForm({ verb, ask, onDone }: CodeProps) {
  const [code, setCode] = useState('');
  const change = useChange(ask, { touches: ['session'], onDone });
  const wait = useWait(change.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!change.isPending && wait === 0) change.mutate(code);
  };
  return (
    <form className={styles['form']} onSubmit={submit}>
      <Field
        label="Code of the app"
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        maxLength={12}
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      <Refusal error={change.error} wait={wait} />
      <div className="row">
        <Button type="submit" size="xs" aria-busy={change.isPending} disabled={wait > 0}>
          {verb}
        </Button>
        <Button variant="default" size="xs" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
