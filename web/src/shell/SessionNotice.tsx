import { Link, useRouterState } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type Session, useSession } from '../api/session.ts';
import { Mark } from '../ui/State.tsx';
import styles from './ConnectionState.module.css';

/**
 * That the session has ended: what was seen stays, and whoever signs in again goes on here. That the next time there is no
 * way in but another link. And that there is nothing to see for somebody.
 */
export function SessionNotice() {
  const { data } = useSession();
  const { href, pathname } = useRouterState({ select: ({ location }) => location });
  if (data === undefined) return <div aria-live="polite" />;
  return (
    <div aria-live="polite">
      {hasEnded(data) && (
        <Notice>
          <strong>You are not signed in any more</strong>: the session was ended elsewhere, or its time is over. What
          you see is as it was seen last.{' '}
          <Link to="/sign-in" search={{ next: href }} className="link underlined">
            Sign in again
          </Link>
        </Notice>
      )}
      {hasNothing(data) && (
        <Notice>
          There is nothing yet that you may see: it appears once an admin of an organization grants you something, or
          with the first deploy of what was granted to you.
        </Notice>
      )}
      {hasNoWayBack(data) && pathname !== '/settings/me' && (
        <Notice>
          You came by a link and have no password yet: the next time you need another link.{' '}
          <Link to="/settings/me" hash="password" className="link underlined">
            Choose one
          </Link>
        </Notice>
      )}
    </div>
  );
}

const Notice = ({ children }: { children: ReactNode }) => (
  <div className={styles['banner']}>
    <Mark level="warning" />
    <span>{children}</span>
  </div>
);

const hasEnded = ({ view, ended }: Session): boolean => view.state !== 'signed-in' && ended !== null;

const hasNothing = ({ view }: Session): boolean =>
  view.state === 'signed-in' &&
  view.server.length === 0 &&
  [...view.organizations, ...view.environments].every(({ permissions }) => permissions.length === 0);

/** Whoever runs the server makes themselves a link whenever they want. */
const hasNoWayBack = ({ view }: Session): boolean =>
  view.state === 'signed-in' &&
  view.session?.method === 'link' &&
  view.who.user !== null &&
  !view.who.user.hasPassword &&
  !view.who.user.runsServer;
