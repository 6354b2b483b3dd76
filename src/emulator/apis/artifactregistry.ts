import type { Api, Call } from '../core/api.ts';
import { alreadyExists, invalid, notFound } from '../core/google-error.ts';
import { masked } from '../core/masks.ts';
import { render } from '../core/operations.ts';
import { paged } from '../core/paged.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { imageHandlers, imagesBelow } from './artifactregistry-images.ts';

const repositories = (world: World) => world.state.table('artifactregistry.repositories');

const METADATA: JsonObject = { '@type': 'type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata' };

/** Seconds. */
const TAKES = 8;

export const artifactregistry: Api = {
  document: 'artifactregistry.v1',
  install: (world) => {
    world.operations.register('artifactregistry.create', (args) => {
      const repository = repositories(world).set(textAt(args, 'name') ?? '', args);
      return { '@type': 'type.googleapis.com/google.devtools.artifactregistry.v1.Repository', ...repository };
    });
    world.operations.register('artifactregistry.delete', (args) => {
      const name = textAt(args, 'name') ?? '';
      repositories(world).delete(name);
      world.state.table('artifactregistry.versions').deleteBelow(`${name}/`);
      world.state.table('artifactregistry.tags').deleteBelow(`${name}/`);
      world.policies.delete(name);
      return { '@type': 'type.googleapis.com/google.protobuf.Empty' };
    });
  },
  handlers: {
    ...imageHandlers,
    'artifactregistry.projects.locations.repositories.create': async (call, world) => {
      const id = call.query('repositoryId') ?? '';
      if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(id)) throw invalid(`The repository ID "${id}" is not valid.`);
      const format = textAt(call.body, 'format') ?? 'FORMAT_UNSPECIFIED';
      if (format === 'FORMAT_UNSPECIFIED') throw invalid('The repository format is required.');
      const name = `${call.at('parent')}/repositories/${id}`;
      if (repositories(world).has(name)) throw alreadyExists('the repository already exists');
      const now = timestamp(world.now());
      const { name: _, ...given } = call.body;
      const repository = {
        ...given,
        name,
        mode: 'STANDARD_REPOSITORY',
        createTime: now,
        updateTime: now,
        registryUri: registryOf(name),
      };
      return operate(call, world, 'create', repository, call.at('parent'));
    },
    'artifactregistry.projects.locations.repositories.get': (call, world) => shown(find(call, world, 'name'), world),
    'artifactregistry.projects.locations.repositories.list': (call, world) => {
      const { entries, nextPageToken } = paged(call, repositories(world).list(`${call.at('parent')}/repositories/`));
      return made({ repositories: entries.map((entry) => shown(entry, world)), nextPageToken });
    },
    'artifactregistry.projects.locations.repositories.patch': (call, world) => {
      const before = find(call, world, 'name');
      const name = textAt(before, 'name') ?? '';
      const after = masked(before, call.body, call.query('updateMask'));
      const fixed = made({ name, format: before['format'], updateTime: timestamp(world.now()) });
      return shown(repositories(world).set(name, { ...after, ...fixed }), world);
    },
    'artifactregistry.projects.locations.repositories.delete': async (call, world) => {
      const repository = find(call, world, 'name');
      const name = textAt(repository, 'name') ?? '';
      return operate(call, world, 'delete', { name }, name.split('/repositories/')[0] ?? '');
    },
    'artifactregistry.projects.locations.repositories.getIamPolicy': (call, world) => {
      find(call, world, 'resource');
      return world.policies.get(call.at('resource'));
    },
    'artifactregistry.projects.locations.repositories.setIamPolicy': (call, world) => {
      find(call, world, 'resource');
      return world.policies.set(call.at('resource'), objectAt(call.body, 'policy'));
    },
    'artifactregistry.projects.locations.repositories.testIamPermissions': (call) => ({
      permissions: textsAt(call.body, 'permissions'),
    }),
    'artifactregistry.projects.locations.operations.get': (call, world) =>
      render(world.operations.get(call.at('name'))),
  },
};

/** `europe-west1-docker.pkg.dev/project/repository`: under which images are pushed. */
function registryOf(name: string): string {
  const [, project = '', , location = '', , repository = ''] = name.split('/');
  return `${location}-docker.pkg.dev/${project}/${repository}`;
}

function find(call: Call, world: World, parameter: string): JsonObject {
  const repository = repositories(world).get(call.at(parameter));
  if (repository === undefined) throw notFound(`Requested entity was not found: ${call.at(parameter)}`);
  return repository;
}

function shown(repository: JsonObject, world: World): JsonObject {
  const bytes = imagesBelow(world, textAt(repository, 'name') ?? '').reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { ...repository, sizeBytes: String(bytes) };
}

async function operate(
  call: Call,
  world: World,
  verb: string,
  args: JsonObject,
  location: string,
): Promise<JsonObject> {
  const operation = await world.operations.start({
    api: 'artifactregistry',
    name: `${location}/operations/{id}`,
    takes: TAKES,
    metadata: METADATA,
    effect: `artifactregistry.${verb}`,
    args,
  });
  return render(operation);
}
