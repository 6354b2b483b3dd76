import { z } from 'zod';
import { organizationNameSchema } from '../../domain/access/organization.ts';
import { name, part, time } from './common.ts';
import { operation } from './operation.ts';

/** What keeps projects and people apart. */

const organizationSchema = z
  .object({
    id: z.string(),
    /** For people; unique. */
    name: z.string(),
    createdAt: time,
  })
  .meta({ id: 'Organization' });

const organization = z.object({ organization: name });

export const organizationOperations = {
  listOrganizations: operation({
    summary: 'The organizations that one is a member of; for whoever runs the server: all',
    permission: null,
    input: z.object({}),
    reply: z.object({ organizations: z.array(organizationSchema) }),
  }),
  createOrganization: operation({
    summary: 'Make an organization; the user who makes it is its first admin',
    permission: 'organizations:manage',
    input: z.object({ name: organizationNameSchema }),
    reply: z.object({ organization: organizationSchema }),
  }),
  renameOrganization: operation({
    summary: 'Give an organization another name',
    permission: 'organization:write',
    input: organization.extend({ name: organizationNameSchema }),
    reply: z.object({ organization: organizationSchema }),
  }),
  removeOrganization: operation({
    summary: 'Remove an organization that has no projects, with its memberships, roles, grants and tokens',
    permission: 'organizations:manage',
    input: organization,
    reply: z.object({}),
  }),
  listProjectsOfOrganization: operation({
    summary: 'The projects of an organization',
    permission: 'people:read',
    input: organization,
    reply: z.object({ projects: z.array(z.object({ project: z.string() })) }),
  }),
  moveProject: operation({
    summary: 'Make a project another organization’s, with its environments and all that is recorded of it',
    permission: 'organizations:manage',
    input: z.object({
      project: part,
      /** To which. */
      organization: name,
    }),
    reply: z.object({
      /** From which. */
      from: z.string(),
      to: z.string(),
    }),
  }),
};

export type OrganizationView = z.infer<typeof organizationSchema>;
