import { Button } from '@mantine/core';
import { Command } from '../ui/Empty.tsx';
import { keepNext } from './next.ts';
import styles from './SignIn.module.css';

/** Where else one may prove who one is, such as at the identity provider of a company. */
export function Elsewhere({ providers, next }: { providers: readonly { id: string; name: string }[]; next: string }) {
  if (providers.length === 0) return null;
  return (
    <div className={styles['providers']}>
      <p className={styles['or']}>or</p>
      {providers.map(({ id, name }) => (
        <Button
          key={id}
          component="a"
          variant="default"
          href={`/sign-in/oidc/${encodeURIComponent(id)}`}
          onClick={() => keepNext(next)}
        >
          Sign in with {name}
        </Button>
      ))}
    </div>
  );
}

/** Nobody has ever signed in here. */
export const FirstStart = () => (
  <div className={styles['first']}>
    <p>Nobody has signed in here yet. The way in is a link from the machine that evenkeel runs on:</p>
    <p>
      <Command>evenkeel dashboard</Command>
    </p>
    <p className="muted">
      It prints the link, which works once. Whoever may run it there owns everything on that machine already.
    </p>
  </div>
);
