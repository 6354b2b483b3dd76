import { mayShapeRole } from '../../domain/access/granting.ts';
import { levelOf, PERMISSIONS } from '../../domain/access/permissions.ts';
import { BUILT_IN_ROLES } from '../../domain/access/roles.ts';
import { requireOrganization } from '../../engine/access/organizations.ts';
import { dropRole, shapeRole } from '../../engine/access/roles.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';

export function roleHandlers({ access }: ApiDeps): Pick<Handlers, 'listRoles' | 'saveRole' | 'removeRole'> {
  return {
    async listRoles({ organization }, { who }) {
      const deps = await access();
      await requireOrganization(deps, organization);
      const custom = await deps.store.roles(organization);
      return {
        roles: [
          ...BUILT_IN_ROLES.map(({ name, permissions }) => ({
            name,
            builtIn: true,
            permissions: [...permissions],
            mayChange: false,
          })),
          ...custom.map(({ name, permissions }) => ({
            name,
            builtIn: false,
            permissions: [...permissions],
            mayChange: mayShapeRole(who, organization, permissions).allowed,
          })),
        ],
        permissions: PERMISSIONS.map((permission) => ({ permission, level: levelOf(permission) })),
      };
    },

    async saveRole({ organization, role: name, permissions }, { who }) {
      const role = await shapeRole(await access(), who, organization, { name, permissions });
      return { role: { name, builtIn: false, permissions: [...role.permissions], mayChange: true } };
    },

    async removeRole({ organization, role }, { who }) {
      await dropRole(await access(), who, organization, role);
      return {};
    },
  };
}
