import type { CloudConfig, CloudService } from '../config.ts';
import { connectionName } from '../names.ts';
import type { Address, Labels } from '../resource.ts';
import { type Body, block, type Hcl, interpolated, type Item, quoted, type Raw, raw, set } from './hcl.ts';
import { accountEmail } from '../names.ts';
import { labelsOf } from './local-names.ts';
import { networkLink, resourceBlock } from './resources.ts';
import { attributeOf, PROJECT, type Scope } from './scope.ts';

/** One variable of a service. A secret is named, and its value is nowhere. */
type ServiceVariable =
  | { name: string; secret: string }
  /** Text, with the addresses of other services of the environment in it, by their names in the file. */
  | { name: string; parts: readonly (string | { urlOf: string })[] };

/** Cloud Run sets these itself, and refuses to be told. */
const RESERVED = ['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION'];

/** Secrets are references, addresses follow from the environment. */
function variablesOf(service: CloudService, config: CloudConfig): ServiceVariable[] {
  const ids = new Map(config.secrets.map(({ variable, id }) => [variable, id]));
  const variableOf = (name: string): ServiceVariable => {
    const parts = service.env[name] ?? [];
    const [first] = parts;
    if (parts.length === 1 && typeof first === 'object' && 'secret' in first) {
      return { name, secret: ids.get(first.secret) ?? first.secret };
    }
    const known = parts.flatMap((part): (string | { urlOf: string })[] => {
      if (typeof part === 'string') return [part];
      if ('serviceUrl' in part) return [{ urlOf: part.serviceUrl }];
      // A secret inside of a text is refused before it comes to this.
      return 'port' in part ? [String(service.port)] : [];
    });
    return { name, parts: known };
  };
  return Object.keys(service.env)
    .filter((name) => !RESERVED.includes(name))
    .toSorted()
    .map(variableOf);
}

export interface ServiceContext {
  config: CloudConfig;
  labels: Labels;
  /** What must be there first, by the service's name in the cloud. */
  needsOf: (name: string) => readonly Address[];
}

/** A service, and who may ask it. */
export function serviceBlocks(service: CloudService, context: ServiceContext, scope: Scope): Item[] {
  const local = scope.locals.get(`service/${service.name}`);
  if (local === undefined) return [];
  const blocks = [resourceBlock(local, serviceBody(service, context, scope), context.needsOf(service.name), scope)];
  if (!service.public) return blocks;
  const everybody: Body = [
    PROJECT,
    set('location', raw(`${local}.location`)),
    set('name', raw(`${local}.name`)),
    set('role', 'roles/run.invoker'),
    set('member', 'allUsers'),
  ];
  return [...blocks, block('resource', everybody, ...labelsOf(everybodyMay(local)))];
}

/** `google_cloud_run_v2_service_iam_member.api` for `google_cloud_run_v2_service.api`. */
export const everybodyMay = (local: string): string => `google_cloud_run_v2_service_iam_member.${labelsOf(local)[1]}`;

function serviceBody(service: CloudService, context: ServiceContext, scope: Scope): Body {
  return [
    PROJECT,
    set('name', service.name),
    set('location', raw('var.region')),
    set('ingress', 'INGRESS_TRAFFIC_ALL'),
    set('deletion_protection', false),
    set('labels', { ...context.labels }),
    block('template', templateBody(service, context, scope)),
    // All of it to what was deployed last: splits belong to a rollout, and none is under way in a file.
    block('traffic', [set('type', 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST'), set('percent', 100)]),
    block('lifecycle', [set('ignore_changes', [raw('client'), raw('client_version'), raw('template[0].revision')])]),
  ];
}

function templateBody(service: CloudService, { config, labels }: ServiceContext, scope: Scope): Body {
  const socket = service.database ? socketOf(config, scope) : null;
  return [
    set('service_account', accountRef(config, scope)),
    set('timeout', `${service.timeoutS}s`),
    set('max_instance_request_concurrency', service.concurrency),
    set('labels', { ...labels }),
    block('scaling', [
      set('min_instance_count', service.minInstances),
      set('max_instance_count', service.maxInstances),
    ]),
    ...vpcAccess(config, scope),
    block('containers', [
      set('image', raw(`var.images[${quoted(service.service)}]`)),
      block('ports', [set('container_port', service.port)]),
      block('resources', [
        set('limits', { cpu: cores(service.cpu), memory: mebibytes(service.memory) }),
        set('cpu_idle', true),
        set('startup_cpu_boost', true),
      ]),
      ...variablesOf(service, config).map((variable) => env(variable, config, scope)),
      service.health !== null &&
        block('startup_probe', [block('http_get', [set('path', service.health), set('port', service.port)])]),
      socket !== null && block('volume_mounts', [set('name', 'cloudsql'), set('mount_path', '/cloudsql')]),
    ]),
    socket !== null &&
      block('volumes', [set('name', 'cloudsql'), block('cloud_sql_instance', [set('instances', [socket])])]),
  ];
}

function env(variable: ServiceVariable, config: CloudConfig, scope: Scope): Item {
  if ('parts' in variable)
    return block('env', [set('name', variable.name), set('value', textOf(variable.parts, config))]);
  return block('env', [
    set('name', variable.name),
    block('value_source', [
      block('secret_key_ref', [
        set('secret', attributeOf(`secret/${variable.secret}`, 'secret_id', variable.secret, scope)),
        set('version', 'latest'),
      ]),
    ]),
  ]);
}

function textOf(parts: readonly (string | { urlOf: string })[], config: CloudConfig): Hcl {
  const pieces = parts.flatMap((part): (string | Raw)[] => {
    if (typeof part === 'string') return [part];
    const other = config.services.find(({ service }) => service === part.urlOf);
    if (other === undefined) return [raw(`lookup(var.urls, ${quoted(part.urlOf)}, "")`)];
    // Services may know each other in a circle, which references between resources must not make.
    return [`https://${other.name}-`, raw('var.project_number'), '.', raw('var.region'), '.run.app'];
  });
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  return pieces.every((piece) => typeof piece === 'string') ? pieces.join('') : interpolated(...pieces);
}

function vpcAccess({ network }: CloudConfig, scope: Scope): Item[] {
  if (network === null) return [];
  const egress = set('egress', 'PRIVATE_RANGES_ONLY');
  if (network.egress === 'direct') {
    const link = networkLink(network.name, scope);
    return [block('vpc_access', [egress, block('network_interfaces', [set('network', link)])])];
  }
  const connector = [...scope.locals].find(([address]) => address.startsWith('connector/'))?.[1];
  return connector === undefined ? [] : [block('vpc_access', [egress, set('connector', raw(`${connector}.id`))])];
}

function socketOf(config: CloudConfig, scope: Scope): Hcl | null {
  if (config.database === null) return null;
  const { instance } = config.database;
  return attributeOf(`sql-instance/${instance}`, 'connection_name', connectionName(config, instance), scope);
}

const accountRef = (config: CloudConfig, scope: Scope): Hcl =>
  attributeOf(`account/${config.account.name}`, 'email', accountEmail(config.account.name, config.project), scope);

const MEBIBYTE = 2 ** 20;

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / MEBIBYTE)}Mi`;

/** Whole cores by their number, others in thousandths. */
const cores = (cpu: number): string => (Number.isInteger(cpu) ? String(cpu) : `${Math.round(cpu * 1000)}m`);
