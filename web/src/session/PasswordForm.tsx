import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import { useBecome } from '../api/session.ts';
import { Field } from '../ui/Field.tsx';
import { StepForm } from './StepForm.tsx';

export function PasswordForm() {
  const become = useBecome();
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const name = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  const ask = useMutation({
    mutationFn: () => api.signIn({ login, password }),
    onSuccess: become,
    onError: () => {
      setPassword('');
      secret.current?.focus();
    },
  });
  useEffect(() => name.current?.focus(), []);
  return (
    <StepForm ask={ask}>
      <Field
        label="Name"
        ref={name}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        maxLength={320}
        value={login}
        onChange={(event) => setLogin(event.target.value)}
      />
      <Field
        label="Password"
        ref={secret}
        name="password"
        type="password"
        autoComplete="current-password"
        required
        maxLength={1000}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </StepForm>
  );
}
