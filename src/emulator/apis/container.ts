import type { Api, Call } from '../core/api.ts';
import { alreadyExists, notFound } from '../core/google-error.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Clusters by their whole name: enough to be found before a clean-up, and to go with it. Nothing runs in them. */
const clusters = (world: World) => world.state.table('container.clusters');

/** Seconds. */
const TAKES = { CREATE_CLUSTER: 300, DELETE_CLUSTER: 240 } as const;

export const container: Api = {
  document: 'container.v1',
  install: (world) => {
    world.operations.register('container.CREATE_CLUSTER', (args) => {
      const name = textAt(args, 'cluster') ?? '';
      clusters(world).set(name, { ...clusters(world).get(name), status: 'RUNNING' });
      return {};
    });
    world.operations.register('container.DELETE_CLUSTER', (args) => {
      clusters(world).delete(textAt(args, 'cluster') ?? '');
      return {};
    });
  },
  handlers: {
    'container.projects.locations.clusters.list': (call, world) => {
      const [, project = '', , location = ''] = call.at('parent').split('/');
      const all = clusters(world)
        .list(`projects/${project}/locations/${location === '-' ? '' : `${location}/`}`)
        .map(shown);
      return made({ clusters: all.length === 0 ? undefined : all });
    },
    'container.projects.locations.clusters.get': (call, world) => shown(find(call, world)),
    'container.projects.locations.clusters.create': (call, world) => {
      const given = objectAt(call.body, 'cluster');
      const id = textAt(given, 'name') ?? '';
      const name = `${call.at('parent')}/clusters/${id}`;
      if (clusters(world).has(name)) throw alreadyExists(`Already exists: ${name}.`);
      const location = name.split('/')[3] ?? '';
      clusters(world).set(name, {
        ...given,
        key: name,
        location,
        zone: location,
        status: 'PROVISIONING',
        createTime: timestamp(world.now()),
        currentNodeCount: Number(given['initialNodeCount'] ?? 3),
        selfLink: `https://container.googleapis.com/v1/${name}`,
      });
      return operate(world, name, 'CREATE_CLUSTER');
    },
    'container.projects.locations.clusters.delete': (call, world) => {
      const cluster = find(call, world);
      const name = textAt(cluster, 'key') ?? '';
      clusters(world).set(name, { ...cluster, status: 'STOPPING' });
      return operate(world, name, 'DELETE_CLUSTER');
    },
    'container.projects.locations.operations.get': (call, world) => render(world.operations.get(call.at('name'))),
  },
};

function find(call: Call, world: World): JsonObject {
  const cluster = clusters(world).get(call.at('name'));
  if (cluster === undefined) throw notFound(`Not found: ${call.at('name')}.`);
  return cluster;
}

function shown(cluster: JsonObject): JsonObject {
  const { key: _, ...rest } = cluster;
  return rest;
}

async function operate(world: World, cluster: string, type: keyof typeof TAKES): Promise<JsonObject> {
  const location = cluster.split('/clusters/')[0] ?? '';
  const operation = await world.operations.start({
    api: 'container',
    name: `${location}/operations/{id}`,
    takes: TAKES[type],
    effect: `container.${type}`,
    args: { cluster },
    extra: { type, cluster },
  });
  return render(operation);
}

/** Of this API's own kind, named by its last part. */
function render(row: JsonObject): JsonObject {
  const name = textAt(row, 'name') ?? '';
  return made({
    name: name.split('/').at(-1),
    operationType: textAt(row, 'extra.type'),
    status: row['done'] === true ? 'DONE' : 'RUNNING',
    location: name.split('/')[3],
    zone: name.split('/')[3],
    selfLink: `https://container.googleapis.com/v1/${name}`,
    targetLink: `https://container.googleapis.com/v1/${textAt(row, 'extra.cluster') ?? ''}`,
    startTime: timestamp(Number(row['startedAt'])),
    endTime: row['endedAt'] === undefined ? undefined : timestamp(Number(row['endedAt'])),
    error: row['error'],
  });
}
