/** What one may be allowed to do, and on what: an environment, an organization, or the server that carries them all. */
const LEVELS = {
  /** Status, rollouts, releases, traffic, runs: everything that is only looked at, but for what has its own name here. */
  'environment:read': 'environment',
  'logs:read': 'environment',
  /** Deploy, and check what a deploy would find. */
  'environment:deploy': 'environment',
  /** Promote, pause, resume and abort a rollout; take a release back. */
  'rollout:steer': 'environment',
  'rollout:approve': 'environment',
  /** Restart, scale and run services; open and close for maintenance; take everything down. */
  'environment:operate': 'environment',
  /** Names and ages; nobody reads values. */
  'secrets:read': 'environment',
  'secrets:write': 'environment',

  /** The name of the organization, and what is set for all of it. */
  'organization:write': 'organization',
  'people:read': 'organization',
  /** Invite and remove people, give and take their grants: never more than one has oneself. */
  'people:write': 'organization',
  'roles:read': 'organization',
  'roles:write': 'organization',
  /** See and revoke the tokens of others. One's own need no permission. */
  'tokens:manage': 'organization',
  'audit:read': 'organization',

  'server:read': 'server',
  /** Stop the server, replace its edge. */
  'server:operate': 'server',
  /** Make and remove organizations, move projects between them, say who runs the server. */
  'organizations:manage': 'server',
} as const satisfies Record<string, Level>;

export type Level = 'environment' | 'organization' | 'server';
export type Permission = keyof typeof LEVELS;

export const PERMISSIONS = Object.keys(LEVELS) as readonly Permission[];

export function isPermission(text: string): text is Permission {
  return Object.hasOwn(LEVELS, text);
}

export const levelOf = (permission: Permission): Level => LEVELS[permission];
