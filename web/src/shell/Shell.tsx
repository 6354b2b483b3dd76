import { useMantineColorScheme } from '@mantine/core';
import { Link, Navigate, Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef } from 'react';
import { useConnection } from '../api/connection.ts';
import { useLive } from '../api/live.ts';
import { useMay } from '../api/may.ts';
import { useAskSession, useSession, useWho } from '../api/session.ts';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { CommandBar } from './CommandBar.tsx';
import { ConnectionBanner, ConnectionMark } from './ConnectionState.tsx';
import { find, isFinding, stopFinding } from './finder.ts';
import { Keel } from './Keel.tsx';
import { SessionNotice } from './SessionNotice.tsx';
import { takeNext } from '../session/next.ts';
import styles from './Shell.module.css';

/** The page, for whoever is signed in; everybody else is led to where one signs in, and back afterwards. */
export function Shell() {
  const { data, error, refetch } = useSession();
  const here = useRouterState({ select: ({ location }) => location });
  const { state } = useConnection();
  const ask = useAskSession();
  // The controller knows nobody by this cookie (any more): what it says about the session counts, and not one refusal.
  useEffect(() => {
    if (state === 'unknown-to-it') void ask();
  }, [state, ask]);

  if (here.pathname === '/sign-in')
    return (
      <div className={styles['shell']}>
        <ConnectionBanner />
        <main id="content" className={styles['main']}>
          <Outlet />
        </main>
      </div>
    );
  if (data === undefined)
    return (
      <div className={styles['shell']}>
        <ConnectionBanner />
        <main id="content" className={styles['main']}>
          {error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />}
        </main>
      </div>
    );
  if (data.view.state !== 'signed-in' && here.pathname === '/reference')
    return (
      <Stranger>
        <Outlet />
      </Stranger>
    );
  if (data.view.state !== 'signed-in' && data.ended === null)
    return <Navigate to="/sign-in" search={{ next: here.href === '/' ? undefined : here.href }} replace />;
  return <Inside live={data.view.state === 'signed-in'} />;
}

/** What anybody may read. */
function Stranger({ children }: { children: ReactNode }) {
  return (
    <div className={styles['shell']}>
      <header className={styles['head']}>
        <Link to="/" className={styles['brand']} aria-label="evenkeel">
          <Keel />
          <span>evenkeel</span>
        </Link>
        <div className={styles['tools']}>
          <SchemeButton />
          <Link to="/sign-in" search={{ next: '/reference' }} className="link">
            Sign in
          </Link>
        </div>
      </header>
      <main id="content" className={styles['main']}>
        {children}
      </main>
    </div>
  );
}

/** Follows what changes, while one may. */
function Live() {
  useLive();
  return null;
}

/** Navigation, the command bar, whether the controller answers, and the page. */
function Inside({ live }: { live: boolean }) {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const router = useRouter();
  const { maySomewhere, mayServer } = useMay();
  const main = useRef<HTMLElement>(null);

  // Back from a sign-in elsewhere, which knows nothing of where one wanted to go.
  useEffect(() => {
    const next = live ? takeNext() : null;
    if (next !== null) router.history.replace(next);
  }, [live, router]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      if (isFinding()) stopFinding();
      else find();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  return (
    <div className={styles['shell']}>
      {live && <Live />}
      <a
        className={styles['skip']}
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the page
      </a>
      <header className={styles['head']}>
        <Link to="/" className={styles['brand']} aria-label="evenkeel, overview">
          <Keel />
          <span>evenkeel</span>
        </Link>
        <nav className={styles['nav']} aria-label="Pages">
          <Link to="/" activeOptions={{ exact: true }} activeProps={{ className: styles['active'] ?? '' }}>
            Overview
          </Link>
          <Link to="/rollouts" activeProps={{ className: styles['active'] ?? '' }}>
            Rollouts
          </Link>
          <Link to="/environments" activeProps={{ className: styles['active'] ?? '' }}>
            Environments
          </Link>
          {(maySomewhere('audit:read') || mayServer('server:read')) && (
            <Link to="/audit" activeProps={{ className: styles['active'] ?? '' }}>
              Audit
            </Link>
          )}
        </nav>
        <div className={styles['tools']}>
          <button type="button" className={styles['search']} onClick={() => find()}>
            <Glass />
            <span className={styles['wide']}>Find or do</span> <kbd>Ctrl K</kbd>
          </button>
          <SchemeButton />
          <Me />
          <ConnectionMark />
        </div>
      </header>
      <ConnectionBanner />
      <SessionNotice />
      <main id="content" ref={main} tabIndex={-1} className={styles['main']} key={path}>
        <Outlet />
      </main>
      <CommandBar />
    </div>
  );
}

/** Who is signed in, and the way to the settings. */
function Me() {
  const who = useWho();
  return (
    <Link
      to="/settings/me"
      className={styles['me']}
      aria-label={`Settings${who === null ? '' : ` of ${who.who.name}`}`}
      title="Settings"
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="5.4" r="2.9" fill="none" stroke="currentColor" strokeWidth="1.5" />
        <path
          d="M2.6 14a5.4 5.4 0 0 1 10.8 0"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          strokeLinecap="round"
        />
      </svg>
      <span className={styles['myName']}>{who?.who.user?.name ?? 'Settings'}</span>
    </Link>
  );
}

function SchemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = colorScheme === 'auto' ? 'light' : colorScheme === 'light' ? 'dark' : 'auto';
  return (
    <button
      type="button"
      className={styles['scheme']}
      onClick={() => setColorScheme(next)}
      title={`Colours: ${colorScheme === 'auto' ? 'as the system' : colorScheme}`}
      aria-label={`Colours: ${colorScheme === 'auto' ? 'as the system' : colorScheme}; change to ${next === 'auto' ? 'as the system' : next}`}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.5" />
        <path
          d={
            colorScheme === 'light'
              ? ''
              : colorScheme === 'dark'
                ? 'M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2z'
                : 'M8 2a6 6 0 0 1 0 12z'
          }
          fill="currentColor"
        />
      </svg>
    </button>
  );
}

const Glass = () => (
  <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
    <circle cx="7" cy="7" r="4.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
    <path d="m10.5 10.5 3.5 3.5" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
  </svg>
);
