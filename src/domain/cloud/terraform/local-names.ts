import { type Address, addressOf, type Kind } from '../resource.ts';

/** The resource type of Google's provider, 6.x, for each kind; null: the export has none of it. */
export const TYPES: Record<Kind, string | null> = {
  api: 'google_project_service',
  connector: 'google_vpc_access_connector',
  account: 'google_service_account',
  role: 'google_project_iam_member',
  repository: 'google_artifact_registry_repository',
  bucket: 'google_storage_bucket',
  'sql-instance': 'google_sql_database_instance',
  'sql-database': 'google_sql_database',
  'sql-user': 'google_sql_user',
  secret: 'google_secret_manager_secret',
  'audit-logs': 'google_project_iam_audit_config',
  'log-retention': 'google_logging_project_bucket_config',
  'uptime-check': 'google_monitoring_uptime_check_config',
  'alert-policy': 'google_monitoring_alert_policy',
  'alert-channel': 'google_monitoring_notification_channel',
  budget: 'google_billing_budget',
  service: 'google_cloud_run_v2_service',
  cluster: null,
  job: null,
};

/** `google_storage_bucket.uploads` for each address that the export has. */
export type LocalNames = ReadonlyMap<Address, string>;

/** Names of the same kind that only differ in what a name in Terraform cannot hold get a number. */
export function localNames(resources: readonly { kind: Kind; name: string }[]): LocalNames {
  const names = new Map<Address, string>();
  const taken = new Set<string>();
  for (const resource of resources) {
    const type = TYPES[resource.kind];
    if (type === null || names.has(addressOf(resource))) continue;
    const wanted = `${type}.${plain(resource)}`;
    let name = wanted;
    for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
    taken.add(name);
    names.set(addressOf(resource), name);
  }
  return names;
}

function plain({ kind, name }: { kind: Kind; name: string }): string {
  const short = kind === 'api' ? name.replace(/\.googleapis\.com$/, '') : name.replace('/roles/', '/');
  const letters = short
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  return /^[a-z]/.test(letters) ? letters : `r_${letters}`;
}

/** The last part of `google_storage_bucket.uploads`, as a block has it for a label. */
export const labelsOf = (local: string): [string, string] => {
  const dot = local.indexOf('.');
  return [local.slice(0, dot), local.slice(dot + 1)];
};
