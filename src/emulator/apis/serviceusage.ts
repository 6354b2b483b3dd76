import type { Api, Call } from '../core/api.ts';
import { badState, invalid } from '../core/google-error.ts';
import { render } from '../core/operations.ts';
import { page } from '../core/pages.ts';
import type { Project } from '../core/projects.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Seconds that switching APIs takes. */
const TAKES = 15;

/** APIs that others need: switching these off needs the word that those go too. */
const NEEDED_BY: Record<string, readonly string[]> = {
  'compute.googleapis.com': ['container.googleapis.com', 'vpcaccess.googleapis.com'],
};

/** What can be named; a project's list of what is off would be endless, so it knows these. */
const CATALOGUE = [
  'artifactregistry',
  'bigquery',
  'billingbudgets',
  'cloudbuild',
  'compute',
  'container',
  'iam',
  'iamcredentials',
  'run',
  'secretmanager',
  'servicenetworking',
  'sql-component',
  'sqladmin',
  'vpcaccess',
].map((name) => `${name}.googleapis.com`);

export const serviceusage: Api = {
  document: 'serviceusage.v1',
  service: null,
  install: (world) => {
    world.operations.register('serviceusage.switch', (args) => {
      const project = world.projects.find(textAt(args, 'project') ?? '');
      const services = textsAt(args, 'services');
      const on = args['on'] === true;
      for (const service of services) world.projects.setOn(project, service, on);
      const shown = services.map((service) => shownService(world, project, service));
      const kind = textAt(args, 'kind') ?? '';
      const type = `type.googleapis.com/google.api.serviceusage.v1.${kind}`;
      return kind === 'BatchEnableServicesResponse'
        ? { '@type': type, services: shown }
        : made({ '@type': type, service: shown[0] });
    });
  },
  handlers: {
    'serviceusage.services.get': (call, world) => {
      const { project, service } = named(call, world);
      return shownService(world, project, service);
    },
    'serviceusage.services.batchGet': (call, world) => {
      const project = world.projects.find(call.at('parent').slice('projects/'.length));
      return { services: call.all('names').map((name) => shownService(world, project, serviceIn(name))) };
    },
    'serviceusage.services.list': (call, world) => {
      const project = world.projects.find(call.at('parent').slice('projects/'.length));
      const on = world.projects.on(project);
      const wanted = /^state:(ENABLED|DISABLED)$/.exec(call.query('filter') ?? '')?.[1];
      const all = [...new Set([...on, ...CATALOGUE])].filter(
        (service) => wanted === undefined || on.includes(service) === (wanted === 'ENABLED'),
      );
      const query = { size: call.query('pageSize'), token: call.query('pageToken') };
      const { entries, nextPageToken } = page(all, (service) => service, query, { most: 200, usual: 50 });
      return made({ services: entries.map((service) => shownService(world, project, service)), nextPageToken });
    },
    'serviceusage.services.enable': async (call, world) => {
      const { project, service } = named(call, world);
      return turn(world, project, [service], { on: true, kind: 'EnableServiceResponse' });
    },
    'serviceusage.services.disable': async (call, world) => {
      const { project, service } = named(call, world);
      const needing = (NEEDED_BY[service] ?? []).filter((other) => world.projects.isOn(project, other));
      if (needing.length > 0 && call.body['disableDependentServices'] !== true)
        throw badState(
          `The service ${service} is depended on by the following active service(s): ${needing.join(',')}`,
        );
      if (!world.projects.isOn(project, service))
        throw badState(`The service ${service} is not enabled and cannot be disabled.`);
      return turn(world, project, [service, ...needing], { on: false, kind: 'DisableServiceResponse' });
    },
    'serviceusage.services.batchEnable': async (call, world) => {
      const project = world.projects.find(call.at('parent').slice('projects/'.length));
      const services = textsAt(call.body, 'serviceIds');
      if (services.length === 0 || services.length > 20) throw invalid('From 1 to 20 services can be enabled at once.');
      for (const service of services) known(service);
      return turn(world, project, services, { on: true, kind: 'BatchEnableServicesResponse' });
    },
    'serviceusage.operations.get': (call, world) => render(world.operations.get(call.at('name'))),
  },
};

/** Those that are as they shall be already are answered done at once. */
async function turn(
  world: World,
  project: Project,
  services: string[],
  { on, kind }: { on: boolean; kind: string },
): Promise<JsonObject> {
  const changed = services.some((service) => world.projects.isOn(project, service) !== on);
  const operation = await world.operations.start({
    name: changed ? `operations/acf.{id}` : `operations/noop.DONE_OPERATION.{id}`,
    takes: changed ? TAKES : 0,
    metadata: {
      '@type': 'type.googleapis.com/google.api.serviceusage.v1.OperationMetadata',
      resourceNames: services.map((service) => `projects/${project.number}/services/${service}`),
    },
    effect: 'serviceusage.switch',
    args: { project: project.id, services, on, kind },
  });
  return render(operation);
}

function named(call: Call, world: World): { project: Project; service: string } {
  const service = serviceIn(call.at('name'));
  return { project: world.projects.find(call.at('name').split('/')[1] ?? ''), service: known(service) };
}

const serviceIn = (name: string): string => name.split('/').at(-1) ?? '';

function known(service: string): string {
  if (/^[a-z][a-z0-9-]*\.googleapis\.com$/.test(service)) return service;
  throw invalid(`Service ${service} not found or permission denied.`);
}

function shownService(world: World, project: Project, service: string): JsonObject {
  return {
    name: `projects/${project.number}/services/${service}`,
    parent: `projects/${project.number}`,
    config: objectAt({ config: { name: service, title: service } }, 'config'),
    state: world.projects.isOn(project, service) ? 'ENABLED' : 'DISABLED',
  };
}
