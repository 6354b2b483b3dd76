import {
  createOrganization,
  knownOrganizations,
  moveProject,
  renameOrganization,
  requireOrganization,
} from '../../engine/access/organizations.ts';
import { refuseSharingMove } from '../../engine/access/isolation.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';

type Mine =
  | 'listOrganizations'
  | 'createOrganization'
  | 'renameOrganization'
  | 'removeOrganization'
  | 'listProjectsOfOrganization'
  | 'moveProject';

export function organizationHandlers({ access, accounts, engine }: ApiDeps): Pick<Handlers, Mine> {
  return {
    listOrganizations: async (_, { who }) => ({ organizations: await knownOrganizations(await access(), who) }),
    createOrganization: async ({ name }, { who }) => ({
      organization: await createOrganization(await access(), who, name),
    }),
    renameOrganization: async ({ organization, name }) => ({
      organization: await renameOrganization(await access(), organization, name),
    }),
    async removeOrganization({ organization }) {
      await (await access()).store.removeOrganization(organization);
      return {};
    },
    async listProjectsOfOrganization({ organization }) {
      const deps = await access();
      await requireOrganization(deps, organization);
      const projects = await deps.store.projects(organization);
      return { projects: projects.map(({ project }) => ({ project })) };
    },
    async moveProject({ project, organization }, { who }) {
      await requireOrganization(await access(), organization);
      await refuseSharingMove({ access, accounts, store: engine.deps.store }, who, project, organization);
      return moveProject(await access(), project, organization);
    },
  };
}
