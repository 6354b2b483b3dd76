import { Button } from '@mantine/core';
import type { UseMutationResult } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { Refusal, useWait } from './Refusal.tsx';
import styles from './SignIn.module.css';

interface Props {
  ask: Pick<UseMutationResult, 'error' | 'isPending'> & { mutate: () => void };
  children: ReactNode;
  /** Behind the button that signs in. */
  more?: ReactNode;
}

/** One step of signing in: asked once at a time, and not before a wait is over. */
export function StepForm({ ask, children, more }: Props) {
  const wait = useWait(ask.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ask.isPending && wait === 0) ask.mutate();
  };
  return (
    <form className={styles['form']} onSubmit={submit}>
      {children}
      <Refusal error={ask.error} wait={wait} />
      <Button type="submit" aria-busy={ask.isPending} disabled={wait > 0}>
        {ask.isPending ? 'Signing in …' : 'Sign in'}
      </Button>
      {more}
    </form>
  );
}
