import { Button } from '@mantine/core';
import { useWho } from '../api/session.ts';
import { useLeave } from '../shell/sign-out.ts';
import { Problem } from '../ui/Problem.tsx';
import { useTitle } from '../ui/title.ts';
import { Accounts } from './Accounts.tsx';
import { Password } from './Password.tsx';
import { SecondFactor } from './SecondFactor.tsx';
import { Sessions } from './Sessions.tsx';
import styles from './Settings.module.css';

/** Oneself: how one signs in, and where one is signed in. */
export function MePage() {
  useTitle('Me');
  const who = useWho();
  const user = who?.who.user ?? null;
  if (who === null || user === null) return null;
  return (
    <>
      <div className={styles['head']}>
        <h1>{user.name}</h1>
        <SignOut />
      </div>
      <section className="panel" aria-label="Who you are">
        <header>
          <h2>Who you are</h2>
        </header>
        <div className={styles['body']}>
          <dl className={styles['facts']}>
            <dt>Sign-in name</dt>
            <dd>{user.login}</dd>
            <dt>Organizations</dt>
            <dd>
              {who.organizations.map(({ name }) => name).join(', ') || 'none yet: an admin of one can invite you'}
            </dd>
            <dt>The server</dt>
            <dd>{user.runsServer ? 'you are one of those who run it' : 'others run it'}</dd>
          </dl>
        </div>
      </section>
      <Password hasPassword={user.hasPassword} login={user.login} method={who.session?.method ?? null} />
      <SecondFactor has={user.hasSecondFactor} hasPassword={user.hasPassword} />
      <Accounts />
      <Sessions />
    </>
  );
}

function SignOut() {
  const { leave, busy, error } = useLeave();
  return (
    <>
      <Button variant="default" size="xs" onClick={() => leave()} aria-busy={busy}>
        Sign out
      </Button>
      {error !== null && <Problem error={error} />}
    </>
  );
}
