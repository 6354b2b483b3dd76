import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useMay } from '../api/may.ts';
import { isFor, SETTINGS } from './pages.ts';
import { OrganizationChoice } from './organization.tsx';
import styles from './Settings.module.css';

/** The pages of the settings beside each other: those that are of use to whoever looks. */
export function SettingsLayout() {
  const may = useMay();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const ofOrganization = SETTINGS.some((page) => page.to === path && page.ofOrganization);
  return (
    <div className={styles['layout']}>
      <nav className={styles['nav']} aria-label="Settings">
        {SETTINGS.filter(({ to }) => isFor(to, may)).map(({ to, name }) => (
          <Link key={to} to={to} activeProps={{ className: styles['active'] ?? '' }}>
            {name}
          </Link>
        ))}
        <Link to="/reference">API</Link>
      </nav>
      <div className={styles['page']}>
        {ofOrganization && <OrganizationChoice />}
        <Outlet />
      </div>
    </div>
  );
}
