import type { Address, Desired, Labels, ResourceOf } from '../resource.ts';
import { alertChannel, alertPolicy, auditLogs, budget, logRetention, uptimeCheck } from './watching.ts';
import { type Body, block, comment, expressionsIn, type Hcl, type Item, quoted, raw, set } from './hcl.ts';
import { below, memberOf } from './import-id.ts';
import { labelsOf } from './local-names.ts';
import { attributeOf, PROJECT, type Scope } from './scope.ts';

/** Its arguments, as Google's provider 6.x names them; null for what is no resource of the set-up. */
export function bodyOf(resource: Desired, scope: Scope): Body | null {
  const { name } = resource;
  switch (resource.kind) {
    case 'api':
      // Others in the project may need it: taking it out of the file must not switch it off.
      return [PROJECT, set('service', name), set('disable_on_destroy', false)];
    case 'account':
      return [
        PROJECT,
        set('account_id', name),
        set('display_name', resource.attributes.displayName),
        // Whose it is stays known: accounts bear no labels.
        block('lifecycle', [set('ignore_changes', [raw('description')])]),
      ];
    case 'role':
      return [PROJECT, set('role', resource.attributes.role), set('member', member(resource, scope))];
    case 'connector':
      return connector(resource);
    case 'repository':
      return repository(resource, resource.labels);
    case 'bucket':
      return bucket(resource, resource.labels, scope);
    case 'sql-instance':
      return sqlInstance(resource, resource.labels, scope);
    case 'sql-database':
      return [
        PROJECT,
        set('name', below(name, resource.attributes.instance)),
        set('instance', instanceName(resource.attributes.instance, scope)),
        ...resource.attributes.extensions.map((extension) =>
          comment(`The provider cannot make extensions: CREATE EXTENSION IF NOT EXISTS "${extension}";`),
        ),
      ];
    case 'sql-user':
      return [
        PROJECT,
        set('name', resource.attributes.user),
        set('instance', instanceName(resource.attributes.instance, scope)),
        set('password', raw(`lookup(var.passwords, ${quoted(resource.attributes.user)}, null)`)),
        comment(`The password is in the secret ${resource.attributes.passwordSecret}; given none, it stays as it is.`),
        block('lifecycle', [set('ignore_changes', [raw('password')])]),
      ];
    case 'secret':
      return [
        PROJECT,
        set('secret_id', name),
        set('labels', { ...resource.labels }),
        block('replication', [block('auto', [])]),
      ];
    case 'audit-logs':
      return auditLogs(resource);
    case 'log-retention':
      return logRetention(resource);
    case 'alert-channel':
      return alertChannel(resource, resource.labels);
    case 'uptime-check':
      return uptimeCheck(resource, resource.labels);
    case 'alert-policy':
      return alertPolicy(resource, resource.labels, scope);
    case 'budget':
      return budget(resource);
    // Services are written with all that a deploy gives them; the others cannot be declared.
    case 'service':
    case 'cluster':
    case 'job':
      return null;
  }
}

const instanceName = (instance: string, scope: Scope): Hcl =>
  attributeOf(`sql-instance/${instance}`, 'name', instance, scope);

const member = ({ attributes: { account } }: ResourceOf<'role'>, scope: Scope): Hcl =>
  attributeOf(`account/${account}`, 'member', memberOf(account, scope.cloudProject), scope);

const connector = ({ name, attributes }: ResourceOf<'connector'>): Body => [
  PROJECT,
  set('name', name),
  set('region', raw('var.region')),
  set('network', attributes.network),
  set('ip_cidr_range', attributes.range),
  set('min_instances', attributes.minInstances),
  set('max_instances', attributes.maxInstances),
];

const repository = ({ name, location, attributes }: ResourceOf<'repository'>, labels: Labels): Body => [
  PROJECT,
  set('location', location ?? raw('var.region')),
  set('repository_id', name),
  set('format', attributes.format),
  set('labels', { ...labels }),
  // What is to be kept only says what a deletion spares.
  block('cleanup_policies', [
    set('id', 'evenkeel-keep'),
    set('action', 'KEEP'),
    block('most_recent_versions', [set('keep_count', attributes.keepVersions)]),
  ]),
  block('cleanup_policies', [
    set('id', 'evenkeel-delete'),
    set('action', 'DELETE'),
    block('condition', [set('tag_state', 'ANY'), set('older_than', '86400s')]),
  ]),
];

function bucket({ name, location, attributes }: ResourceOf<'bucket'>, labels: Labels, { region }: Scope): Body {
  const { expire } = attributes;
  return [
    PROJECT,
    set('name', name),
    set('location', (location ?? region).toUpperCase()),
    set('storage_class', attributes.storageClass),
    set('uniform_bucket_level_access', attributes.uniformAccess),
    set('public_access_prevention', attributes.public ? 'inherited' : 'enforced'),
    set('force_destroy', false),
    set('labels', { ...labels }),
    block('versioning', [set('enabled', attributes.versioning)]),
    expire !== null &&
      block('lifecycle_rule', [
        block('condition', [
          set('age', expire.days),
          ...(expire.prefixes.length === 0 ? [] : [set('matches_prefix', expire.prefixes)]),
        ]),
        block('action', [set('type', 'Delete')]),
      ]),
  ];
}

function sqlInstance({ name, attributes }: ResourceOf<'sql-instance'>, labels: Labels, scope: Scope): Body {
  const settings: Body = [
    set('tier', attributes.tier),
    set('edition', 'ENTERPRISE'),
    set('availability_type', attributes.availability),
    set('disk_type', `PD_${attributes.storageType}`),
    set('disk_size', attributes.storageGb),
    set('disk_autoresize', attributes.autoIncrease),
    set('deletion_protection_enabled', attributes.deletionProtection),
    set('user_labels', { ...labels }),
    block('backup_configuration', [
      set('enabled', true),
      set('start_time', attributes.backupStart),
      set('point_in_time_recovery_enabled', attributes.pointInTime),
      block('backup_retention_settings', [
        set('retained_backups', attributes.backupsKept),
        set('retention_unit', 'COUNT'),
      ]),
    ]),
    block('ip_configuration', [
      set('ipv4_enabled', attributes.publicAddress),
      ...(attributes.network === null ? [] : [set('private_network', networkLink(attributes.network, scope))]),
    ]),
    block('maintenance_window', [set('day', attributes.maintenance.day), set('hour', attributes.maintenance.hour)]),
    ...Object.entries(attributes.flags)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([flag, value]) => block('database_flags', [set('name', flag), set('value', value)])),
  ];
  return [
    PROJECT,
    set('name', name),
    set('region', raw('var.region')),
    set('database_version', attributes.version),
    set('deletion_protection', attributes.deletionProtection),
    block('settings', settings),
    // It grows by itself, and can never be made smaller.
    attributes.autoIncrease && block('lifecycle', [set('ignore_changes', [raw('settings[0].disk_size')])]),
  ];
}

export const networkLink = (network: string, { cloudProject }: Pick<Scope, 'cloudProject'>): string =>
  network.includes('/') ? network : `projects/${cloudProject}/global/networks/${network}`;

/** The block of a resource, with what it must wait for and does not name. */
export function resourceBlock(local: string, body: Body, needs: readonly Address[], scope: Scope): Item {
  const named = expressionsIn(body);
  const waits = needs
    .map((need) => scope.locals.get(need))
    .filter(
      (need): need is string =>
        need !== undefined && need !== local && !named.some((each) => each.includes(`${need}.`)),
    );
  const depends = [...new Set(waits)].toSorted();
  return block(
    'resource',
    depends.length === 0 ? body : [...body, set('depends_on', depends.map(raw))],
    ...labelsOf(local),
  );
}
