import type { May } from '../api/may.ts';

/** The pages of the settings, with who may make use of them. `organization`: null when one is in none. */
export const SETTINGS = [
  { to: '/settings/me', name: 'Me', hint: 'password, second factor, where I am signed in', ofOrganization: false },
  { to: '/settings/tokens', name: 'My tokens', hint: 'by which programs ask', ofOrganization: false },
  { to: '/settings/people', name: 'People', hint: 'who is in an organization', ofOrganization: true },
  { to: '/settings/roles', name: 'Roles', hint: 'what people may do', ofOrganization: true },
  { to: '/settings/all-tokens', name: 'All tokens', hint: 'of an organization', ofOrganization: true },
  { to: '/settings/secrets', name: 'Secrets', hint: 'names and ages', ofOrganization: false },
  { to: '/settings/organizations', name: 'Organizations', hint: 'and every user', ofOrganization: false },
  { to: '/settings/server', name: 'Server', hint: 'version and processes', ofOrganization: false },
] as const;

export type SettingsPath = (typeof SETTINGS)[number]['to'];

/** Whether a page has anything for somebody. */
export function isFor(to: SettingsPath, { maySomewhere, mayServer }: May): boolean {
  switch (to) {
    case '/settings/me':
    case '/settings/tokens':
      return true;
    case '/settings/people':
      return maySomewhere('people:read');
    case '/settings/roles':
      return maySomewhere('roles:read');
    case '/settings/all-tokens':
      return maySomewhere('tokens:manage');
    case '/settings/secrets':
      return maySomewhere('secrets:read');
    case '/settings/organizations':
      return mayServer('organizations:manage') || maySomewhere('organization:write');
    case '/settings/server':
      return mayServer('server:read');
  }
}
