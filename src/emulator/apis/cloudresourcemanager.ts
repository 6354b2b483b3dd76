import type { Api, Call, Handler } from '../core/api.ts';
import { etagOf } from '../core/etag.ts';
import { masked } from '../core/masks.ts';
import { page } from '../core/pages.ts';
import type { Project } from '../core/projects.ts';
import { OWNER } from '../core/identities.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Key of a project's policy. */
export const projectPolicy = (project: Project): string => `projects/${project.id}`;

/** Who made the project owns it. */
export const FIRST_BINDINGS: JsonObject[] = [{ role: 'roles/owner', members: [OWNER.member] }];

const ORGANIZATION = '123456789012';

/** The policy methods are the same in both versions, but for how the resource is named. */
const policyHandlers = (projectIn: (call: Call, world: World) => Project): Record<string, Handler> => ({
  'cloudresourcemanager.projects.getIamPolicy': (call, world) =>
    world.policies.get(projectPolicy(projectIn(call, world)), FIRST_BINDINGS),
  'cloudresourcemanager.projects.setIamPolicy': (call, world) => {
    const key = projectPolicy(projectIn(call, world));
    const before = world.policies.get(key, FIRST_BINDINGS);
    const given = objectAt(call.body, 'policy');
    const mask = textAt(call.body, 'updateMask') ?? 'bindings,etag';
    // Audit settings are left alone unless the mask names them.
    const policy = { ...masked(before, given, mask), ...made({ etag: given['etag'] }) };
    return world.policies.set(key, policy, { first: FIRST_BINDINGS });
  },
  'cloudresourcemanager.projects.testIamPermissions': (call) => ({ permissions: textsAt(call.body, 'permissions') }),
});

export const cloudresourcemanagerV1: Api = {
  document: 'cloudresourcemanager.v1',
  service: null,
  handlers: {
    ...policyHandlers((call, world) => world.projects.find(call.at('resource'))),
    'cloudresourcemanager.projects.get': (call, world) => shownV1(world.projects.find(call.at('projectId'))),
    'cloudresourcemanager.projects.list': (call, world) => {
      const { entries, nextPageToken } = listed(call, world);
      return made({ projects: entries.map(shownV1), nextPageToken });
    },
  },
};

export const cloudresourcemanagerV3: Api = {
  document: 'cloudresourcemanager.v3',
  service: null,
  handlers: {
    ...policyHandlers((call, world) => world.projects.find(call.at('resource').slice('projects/'.length))),
    'cloudresourcemanager.projects.get': (call, world) =>
      shownV3(world.projects.find(call.at('name').slice('projects/'.length))),
    'cloudresourcemanager.projects.list': (call, world) => {
      const { entries, nextPageToken } = listed(call, world);
      return made({ projects: entries.map(shownV3), nextPageToken });
    },
    'cloudresourcemanager.projects.search': (call, world) => {
      const { entries, nextPageToken } = listed(call, world);
      return made({ projects: entries.map(shownV3), nextPageToken });
    },
  },
};

function listed(call: Call, world: World): { entries: Project[]; nextPageToken: string | undefined } {
  const asked = /(?:^|\s)(?:projectId|id)[:=](\S+)/i.exec(call.query('query') ?? call.query('filter') ?? '')?.[1];
  const all = world.projects.all().filter(({ id }) => asked === undefined || id === asked);
  return page(all, ({ id }) => id, { size: call.query('pageSize'), token: call.query('pageToken') });
}

const shownV1 = (project: Project): JsonObject => ({
  projectId: project.id,
  projectNumber: project.number,
  name: project.id,
  lifecycleState: 'ACTIVE',
  createTime: timestamp(project.createdAt),
  parent: { type: 'organization', id: ORGANIZATION },
});

const shownV3 = (project: Project): JsonObject => ({
  name: `projects/${project.number}`,
  projectId: project.id,
  displayName: project.id,
  state: 'ACTIVE',
  parent: `organizations/${ORGANIZATION}`,
  createTime: timestamp(project.createdAt),
  updateTime: timestamp(project.createdAt),
  etag: etagOf([project.id, project.createdAt]),
});
