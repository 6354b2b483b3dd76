import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import { useBecome } from '../api/session.ts';
import { Field } from '../ui/Field.tsx';
import { StepForm } from './StepForm.tsx';
import styles from './SignIn.module.css';

/** The password was right; the second factor is missing. */
export function CodeForm({ login }: { login: string }) {
  const become = useBecome();
  const [code, setCode] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const ask = useMutation({
    mutationFn: () => api.giveCode({ code }),
    onSuccess: become,
    onError: () => {
      setCode('');
      input.current?.focus();
    },
  });
  const back = useMutation({ mutationFn: () => api.signOut({}), onSuccess: become });
  useEffect(() => input.current?.focus(), []);
  return (
    <StepForm
      ask={ask}
      more={
        <Button variant="default" onClick={() => back.mutate()}>
          Begin again
        </Button>
      }
    >
      <Field
        label="Code"
        hint={`Of the authenticator app of ${login}: six digits, new every half minute.`}
        ref={input}
        name="code"
        className={styles['code'] ?? ''}
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        maxLength={12}
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
    </StepForm>
  );
}
