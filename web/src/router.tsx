import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { auditSearch } from './audit/search.ts';
import { NotFound } from './shell/NotFound.tsx';
import { PageFailed } from './shell/PageFailed.tsx';
import { Shell } from './shell/Shell.tsx';
import { PageSkeleton } from './ui/PageSkeleton.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./overview/Overview.tsx'), 'Overview'),
});

const rollouts = createRoute({
  getParentRoute: () => root,
  path: '/rollouts',
  component: lazyRouteComponent(() => import('./rollout/RolloutList.tsx'), 'RolloutList'),
});

const rollout = createRoute({
  getParentRoute: () => root,
  path: '/rollouts/$rollout',
  component: lazyRouteComponent(() => import('./rollout/RolloutPage.tsx'), 'RolloutPage'),
});

const service = createRoute({
  getParentRoute: () => root,
  path: '/projects/$project/environments/$environment/services/$service',
  component: lazyRouteComponent(() => import('./service/ServicePage.tsx'), 'ServicePage'),
});

const objectives = createRoute({
  getParentRoute: () => root,
  path: '/objectives',
  component: lazyRouteComponent(() => import('./objectives/Objectives.tsx'), 'Objectives'),
});

const environments = createRoute({
  getParentRoute: () => root,
  path: '/environments',
  component: lazyRouteComponent(() => import('./environments/Environments.tsx'), 'Environments'),
});

const environmentsOf = createRoute({
  getParentRoute: () => root,
  path: '/projects/$project/environments',
  component: lazyRouteComponent(() => import('./environments/Environments.tsx'), 'Environments'),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  // What an address brings is looked at where it is used: it leads to pages of the dashboard and nowhere else.
  validateSearch: ({ next }): { next?: string | undefined } => (typeof next === 'string' ? { next } : {}),
  component: lazyRouteComponent(() => import('./session/SignInPage.tsx'), 'SignInPage'),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./audit/AuditPage.tsx'), 'AuditPage'),
});

/** Which organization, for whoever is in several. */
interface OfOrganization {
  organization?: string | undefined;
}

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: ({ organization }): OfOrganization => (typeof organization === 'string' ? { organization } : {}),
  component: lazyRouteComponent(() => import('./settings/SettingsLayout.tsx'), 'SettingsLayout'),
});

const settingsPages = [
  createRoute({
    getParentRoute: () => settings,
    path: '/',
    beforeLoad: () => {
      redirect({ to: '/settings/me', replace: true, throw: true });
    },
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/me',
    component: lazyRouteComponent(() => import('./settings/MePage.tsx'), 'MePage'),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/tokens',
    component: lazyRouteComponent(() => import('./settings/TokensPage.tsx'), 'TokensPage'),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/people',
    component: lazyRouteComponent(() => import('./settings/PeoplePage.tsx'), 'PeoplePage'),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/roles',
    component: lazyRouteComponent(() => import('./settings/RolesPage.tsx'), 'RolesPage'),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/all-tokens',
    component: lazyRouteComponent(() => import('./settings/AllTokensPage.tsx'), 'AllTokensPage'),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/secrets',
    component: lazyRouteComponent(() => import('./settings/SecretsPage.tsx'), 'SecretsPage'),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/organizations',
    component: lazyRouteComponent(() => import('./settings/OrganizationsPage.tsx'), 'OrganizationsPage'),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/server',
    component: lazyRouteComponent(() => import('./settings/ServerPage.tsx'), 'ServerPage'),
  }),
] as const;

const reference = createRoute({
  getParentRoute: () => root,
  path: '/reference',
  component: lazyRouteComponent(() => import('./reference/Reference.tsx'), 'Reference'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    rollouts,
    rollout,
    service,
    environments,
    environmentsOf,
    objectives,
    audit,
    reference,
    signIn,
    settings.addChildren(settingsPages),
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: PageSkeleton,
  defaultErrorComponent: PageFailed,
  // The page's own style sheets would have to allow what this writes into a style element.
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
