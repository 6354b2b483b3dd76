import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api } from '../api/client.ts';
import { type Session, useBecome, useSession } from '../api/session.ts';
import { Command } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useTitle } from '../ui/title.ts';
import { CodeForm } from './CodeForm.tsx';
import { Elsewhere, FirstStart } from './Elsewhere.tsx';
import { takeLink } from './link.ts';
import { safeNext, takeNext } from './next.ts';
import { PasswordForm } from './PasswordForm.tsx';
import styles from './SignIn.module.css';
import { Frame } from './Frame.tsx';

/** Becomes somebody: by a link that works once, by name and password, or elsewhere. Then on to where one wanted to go. */
export function SignInPage() {
  useTitle('Sign in');
  const { data, error, refetch } = useSession();
  const [link] = useState(takeLink);
  const [linkLeft, setLinkLeft] = useState(link);
  if (data === undefined)
    return (
      <Frame title="Sign in">
        {error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />}
      </Frame>
    );
  if (linkLeft !== null) return <ByLink link={linkLeft} session={data} onDone={() => setLinkLeft(null)} />;
  return <Steps session={data} />;
}

/** Where it goes on, as soon as one is somebody. */
function useGoOn(): () => void {
  const router = useRouter();
  const { next } = useSearch({ strict: false });
  return () => {
    // This page is still drawn while the next one is loaded, and somebody may have gone elsewhere meanwhile.
    if (router.latestLocation.pathname !== '/sign-in') return;
    // Of a sign-in elsewhere that was begun and left.
    takeNext();
    router.history.replace(safeNext(next));
  };
}

function Steps({ session: { view, ended } }: { session: Session }) {
  const goOn = useGoOn();
  const { next } = useSearch({ strict: false });
  const signedIn = view.state === 'signed-in';
  useEffect(() => {
    if (signedIn) goOn();
    // Once, when one has become somebody
  }, [signedIn]);
  if (view.state === 'signed-in') return <Frame title="You are signed in" />;
  if (view.state === 'second-factor')
    return (
      <Frame title="One more step">
        <CodeForm login={view.login} />
      </Frame>
    );
  return (
    <Frame title="Sign in">
      {ended !== null && (
        <p role="status">Your session has ended, by its time or from elsewhere. Sign in to go on where you were.</p>
      )}
      {view.first ? <FirstStart /> : <PasswordForm />}
      <Elsewhere providers={view.providers} next={safeNext(next)} />
      {!view.first && (
        <p className={styles['help']}>
          No password, or forgotten? An admin can make you a link. Whoever has the machine makes one there with{' '}
          <Command>evenkeel dashboard</Command>.
        </p>
      )}
    </Frame>
  );
}

/** Opens it at once; whoever is somebody already is asked first, or a link could make them somebody else unseen. */
function ByLink({ link, session: { view }, onDone }: { link: string; session: Session; onDone: () => void }) {
  const become = useBecome();
  const open = useMutation({
    mutationFn: () => api.openLink({ link }),
    onSuccess: (now) => {
      become(now);
      onDone();
    },
  });
  const ask = view.state === 'signed-in';
  const { mutate } = open;
  useEffect(() => {
    if (!ask) mutate();
    // A link works once, and is tried once
  }, []);
  if (open.error !== null)
    return (
      <Frame title="The link does not sign you in">
        <Problem error={open.error} />
        <div className="row">
          {open.error instanceof Error && 'retryable' in open.error && open.error.retryable === true && (
            <Button variant="default" onClick={() => mutate()}>
              Try again
            </Button>
          )}
          <Button variant="default" onClick={onDone}>
            {ask ? `Go on as ${nameOf(view)}` : 'Sign in in another way'}
          </Button>
        </div>
      </Frame>
    );
  if (!ask || open.isPending || open.isSuccess) return <Frame title="Signing you in …" />;
  return (
    <Frame title={`You are signed in as ${nameOf(view)}`}>
      <p className="muted">The link you have opened signs somebody in. Only go on if you know whom it was made for.</p>
      <div className="row">
        <Button onClick={() => mutate()}>Open the link</Button>
        <Button variant="default" onClick={onDone}>
          Stay {nameOf(view)}
        </Button>
      </div>
    </Frame>
  );
}

const nameOf = (view: Session['view']): string => (view.state === 'signed-in' ? view.who.name : 'you');
