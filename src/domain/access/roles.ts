import { z } from 'zod';
import { isPermission, levelOf, type Permission, PERMISSIONS } from './permissions.ts';

/** A set of permissions with a name. What it holds for is said where it is granted. */
export interface Role {
  readonly name: string;
  readonly permissions: readonly Permission[];
}

const VIEW = ['environment:read', 'logs:read', 'people:read', 'roles:read'] as const satisfies readonly Permission[];

/**
 * The roles that every organization has. Who operates does not approve, so that who ships alone can be told from who ships
 * with a second pair of eyes; who should do both is granted both.
 */
const BUILT_IN: Readonly<Record<string, readonly Permission[]>> = {
  viewer: VIEW,
  operator: [...VIEW, 'environment:deploy', 'rollout:steer', 'environment:operate', 'secrets:read', 'secrets:write'],
  approver: [...VIEW, 'rollout:approve'],
  /** Everything in its organization, and nothing of the server. */
  admin: PERMISSIONS.filter((permission) => levelOf(permission) !== 'server'),
};

export const BUILT_IN_ROLES: readonly Role[] = Object.entries(BUILT_IN).map(([name, permissions]) => ({
  name,
  permissions,
}));

/** The role of an organization by its name; null when there is none. A built-in one cannot be hidden by a custom one. */
export function findRole(name: string, custom: readonly Role[]): Role | null {
  return [...BUILT_IN_ROLES, ...custom].find((role) => role.name === name) ?? null;
}

/** A role of an organization's own. Permissions of the server are nothing that an organization could give. */
export const customRoleSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, 'small letters, digits and dashes, at most 40')
    .refine((name) => !Object.hasOwn(BUILT_IN, name), 'this is the name of a built-in role'),
  permissions: z
    .array(z.string().refine(isPermission, 'there is no such permission'))
    .min(1)
    .refine(
      (permissions) => permissions.every((each) => !isPermission(each) || levelOf(each) !== 'server'),
      'permissions of the server belong to no organization',
    )
    .transform((permissions) => [...new Set(permissions)].toSorted()),
});
