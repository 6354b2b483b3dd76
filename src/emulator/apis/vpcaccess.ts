import type { Api, Call } from '../core/api.ts';
import { alreadyExists, badState, invalid, notFound } from '../core/google-error.ts';
import { masked } from '../core/masks.ts';
import { render } from '../core/operations.ts';
import { paged } from '../core/paged.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

const connectors = (world: World) => world.state.table('vpcaccess.connectors');

/** Seconds. */
const TAKES = { create: 150, patch: 120, delete: 90 } as const;

const CONNECTOR = 'type.googleapis.com/google.cloud.vpcaccess.v1.Connector';

export const vpcaccess: Api = {
  document: 'vpcaccess.v1',
  install: (world) => {
    const leave =
      (state: string) =>
      (args: JsonObject): void => {
        const name = textAt(args, 'name') ?? '';
        connectors(world).set(name, { ...connectors(world).get(name), state });
      };
    for (const verb of ['create', 'patch'] as const)
      world.operations.register(
        `vpcaccess.${verb}`,
        (args) => {
          const name = textAt(args, 'name') ?? '';
          const connector = connectors(world).set(name, { ...args, state: 'READY' });
          return { '@type': CONNECTOR, ...connector };
        },
        leave(verb === 'create' ? 'ERROR' : 'READY'),
      );
    world.operations.register(
      'vpcaccess.delete',
      (args) => {
        connectors(world).delete(textAt(args, 'name') ?? '');
        return { '@type': 'type.googleapis.com/google.protobuf.Empty' };
      },
      leave('READY'),
    );
  },
  handlers: {
    'vpcaccess.projects.locations.connectors.create': (call, world) => {
      const id = call.query('connectorId') ?? '';
      if (!/^[a-z]([a-z0-9-]{0,23}[a-z0-9])?$/.test(id)) throw invalid(`Connector ID must follow the pattern: ${id}`);
      const name = `${call.at('parent')}/connectors/${id}`;
      if (connectors(world).has(name)) throw alreadyExists(`Requested entity already exists: ${name}`);
      const { name: _, ...given } = call.body;
      const connector = checked({ machineType: 'e2-micro', minInstances: 2, maxInstances: 3, ...given, name });
      connectors(world).set(name, { ...connector, state: 'CREATING' });
      return operate(call, world, 'create', connector);
    },
    'vpcaccess.projects.locations.connectors.get': (call, world) => find(call, world),
    'vpcaccess.projects.locations.connectors.list': (call, world) => {
      const { entries, nextPageToken } = paged(call, connectors(world).list(`${call.at('parent')}/connectors/`));
      return made({ connectors: entries, nextPageToken });
    },
    'vpcaccess.projects.locations.connectors.patch': (call, world) => {
      const before = ready(call, world);
      const after = checked({ ...masked(before, call.body, call.query('updateMask')), name: call.at('name') });
      connectors(world).set(call.at('name'), { ...before, state: 'UPDATING' });
      return operate(call, world, 'patch', after);
    },
    'vpcaccess.projects.locations.connectors.delete': (call, world) => {
      connectors(world).set(call.at('name'), { ...ready(call, world), state: 'DELETING' });
      return operate(call, world, 'delete', { name: call.at('name') });
    },
    'vpcaccess.projects.locations.operations.get': (call, world) => render(world.operations.get(call.at('name'))),
  },
};

function checked(connector: JsonObject): JsonObject {
  const { minInstances, maxInstances } = connector;
  if (Number(minInstances) < 2 || Number(maxInstances) > 10 || Number(minInstances) >= Number(maxInstances))
    throw invalid('minInstances is at least 2, maxInstances at most 10 and larger than minInstances.');
  const range = textAt(connector, 'ipCidrRange');
  if (range === undefined && connector['subnet'] === undefined)
    throw invalid('A network with an IP range, or a subnet, is required.');
  if (range !== undefined && !/^\d+\.\d+\.\d+\.\d+\/28$/.test(range)) throw invalid('The IP range must be a /28.');
  return connector;
}

function find(call: Call, world: World): JsonObject {
  const connector = connectors(world).get(call.at('name'));
  if (connector === undefined) throw notFound(`Resource '${call.at('name')}' was not found`);
  return connector;
}

function ready(call: Call, world: World): JsonObject {
  const connector = find(call, world);
  if (connector['state'] !== 'READY')
    throw badState(`The connector ${call.at('name')} is ${textAt(connector, 'state') ?? ''}.`);
  return connector;
}

async function operate(call: Call, world: World, verb: keyof typeof TAKES, args: JsonObject): Promise<JsonObject> {
  const name = textAt(args, 'name') ?? '';
  const operation = await world.operations.start({
    api: 'vpcaccess',
    name: `${name.split('/connectors/')[0] ?? ''}/operations/{id}`,
    takes: TAKES[verb],
    metadata: {
      '@type': 'type.googleapis.com/google.cloud.vpcaccess.v1.OperationMetadata',
      method: `google.cloud.vpcaccess.v1.VpcAccessService.${verb}`,
      createTime: timestamp(world.now()),
      target: name,
    },
    effect: `vpcaccess.${verb}`,
    args,
  });
  return render(operation);
}
