import type { Permission } from '../api/may.ts';

/** What each lets one do, in words. That every permission has its words is checked by their type. */
const WORDS: Readonly<Record<Permission, string>> = {
  'environment:read': 'See status, rollouts and releases',
  'logs:read': 'Read logs',
  'environment:deploy': 'Deploy',
  'rollout:steer': 'Promote, pause, abort, roll back',
  'rollout:approve': 'Approve rollouts',
  'environment:operate': 'Restart, scale, run, take down',
  'secrets:read': 'See names and ages of secrets',
  'secrets:write': 'Set secrets',
  'organization:write': 'Rename the organization',
  'people:read': 'See people',
  'people:write': 'Invite people, give grants',
  'roles:read': 'See roles',
  'roles:write': 'Make and change roles',
  'tokens:manage': 'See and revoke the tokens of others',
  'audit:read': 'Read the audit',
  'server:read': 'See the server',
  'server:operate': 'Stop and restart the server',
  'organizations:manage': 'Make organizations, say who runs the server',
};

const ALL = Object.keys(WORDS) as Permission[];

const ofServer = (permission: Permission): boolean => /^(server|organizations):/.test(permission);
const ofOrganization = (permission: Permission): boolean =>
  /^(organization|people|roles|tokens|audit):/.test(permission);

export const ORGANIZATION_PERMISSIONS = ALL.filter(ofOrganization);
export const ENVIRONMENT_PERMISSIONS = ALL.filter((each) => !ofServer(each) && !ofOrganization(each));

export const inWords = (permission: Permission): string => WORDS[permission];
