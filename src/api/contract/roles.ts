import { z } from 'zod';
import { levelOf, PERMISSIONS } from '../../domain/access/permissions.ts';
import { customRoleSchema } from '../../domain/access/roles.ts';
import { name } from './common.ts';
import { operation } from './operation.ts';

/** Sets of permissions with a name. */

export const permissionSchema = z.enum(PERMISSIONS).meta({ id: 'Permission' });

/** Those of the server belong to no organization. */
const permissionOfRole = z.enum(PERMISSIONS.filter((each) => levelOf(each) !== 'server'));

const roleSchema = z
  .object({
    name: z.string(),
    /** Every organization has it, and nobody changes it. */
    builtIn: z.boolean(),
    permissions: z.array(permissionSchema),
    /** Whether whoever asks could change or remove it. */
    mayChange: z.boolean(),
  })
  .meta({ id: 'Role' });

const organization = z.object({ organization: name });

export const roleOperations = {
  listRoles: operation({
    summary: 'The roles of an organization, the built-in ones first, and all permissions that there are',
    permission: 'roles:read',
    input: organization,
    reply: z.object({
      roles: z.array(roleSchema),
      permissions: z.array(
        z.object({
          permission: permissionSchema,
          /** What it is about. Those of the server are in no role. */
          level: z.enum(['environment', 'organization', 'server']),
        }),
      ),
    }),
  }),
  saveRole: operation({
    summary: 'Make a role of an organization’s own, or change it: only with what one has oneself in all of it',
    permission: 'roles:write',
    input: organization.extend({
      role: customRoleSchema.shape.name,
      permissions: z.array(permissionOfRole).min(1),
    }),
    reply: z.object({ role: roleSchema }),
  }),
  removeRole: operation({
    summary: 'Remove a role that nobody has',
    permission: 'roles:write',
    input: organization.extend({ role: name }),
    reply: z.object({}),
  }),
};

export type RoleView = z.infer<typeof roleSchema>;
