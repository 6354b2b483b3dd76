import { ALERT_THRESHOLDS, BASE_APIS, DOWN_LOOKS } from './defaults.ts';
import type { CloudConfig, CloudDatabase } from './config.ts';
import { budgetName, cloudName, connectionName, connectorName, foreseenUrl } from './names.ts';
import { addressOf, ownLabels } from './resource.ts';
import type { Address, AttributesByKind, Desired, Kind, Labels } from './resource.ts';

/** What a project's environment should have in the cloud, from what its file says. */

export interface Setting {
  project: string;
  environment: string;
  /** Of the cloud project: the address of a service that was never deployed is made from it. */
  projectNumber: string;
  /** Where services answer already, by their names in the file. */
  urls?: ReadonlyMap<string, string>;
}

/** Which API has to be on before a resource of the kind can be looked at or made. */
const APIS: Readonly<Record<Kind, readonly string[]>> = {
  api: [],
  connector: ['vpcaccess', 'compute'],
  account: ['iam'],
  role: ['cloudresourcemanager', 'iam'],
  repository: ['artifactregistry'],
  bucket: ['storage-api'],
  'sql-instance': ['sqladmin'],
  'sql-database': ['sqladmin'],
  'sql-user': ['sqladmin'],
  secret: ['secretmanager'],
  'audit-logs': ['cloudresourcemanager'],
  'log-retention': ['logging'],
  'uptime-check': ['monitoring'],
  'alert-policy': ['monitoring'],
  'alert-channel': ['monitoring'],
  budget: ['billingbudgets', 'cloudbilling'],
  // A canary is judged by metrics, and a failed start is told by logs.
  service: ['run', 'cloudbuild', 'monitoring', 'logging'],
  cluster: ['container'],
  job: ['run'],
};

export const apisOf = (kind: Kind): string[] => APIS[kind].map((name) => `${name}.googleapis.com`);

/** Everything, services too; those come with a deploy and are never made by a set-up (`plan.ts`). */
export function desiredOf(config: CloudConfig, setting: Setting): Desired[] {
  const labels: Labels = { ...config.labels, ...ownLabels(setting) };
  const make = maker(labels);
  const account = make('account', config.account.name, null, {
    displayName: `${setting.project} ${setting.environment}`,
  });
  const connector =
    config.network?.egress === 'connector'
      ? [
          make('connector', connectorName(setting), config.region, {
            network: config.network.name,
            range: config.network.range,
            minInstances: 2,
            maxInstances: 3,
          }),
        ]
      : [];
  const secrets = unique(config.secrets.map(({ id }) => id)).map((id) =>
    make('secret', id, null, { replication: 'automatic' }),
  );
  const database = config.database === null ? [] : databaseOf(config, config.database, make);
  const roles = config.account.roles.map((role) =>
    make('role', `${config.account.name}/${role}`, null, { account: config.account.name, role }, [addressOf(account)]),
  );
  const repository = make('repository', config.repository.name, config.region, {
    format: 'DOCKER',
    keepVersions: config.repository.keepVersions,
  });
  const all: Desired[] = [
    account,
    ...roles,
    repository,
    ...config.buckets.map(({ name, public: open, versioning, expire }) =>
      make('bucket', name, config.region, {
        storageClass: 'STANDARD',
        uniformAccess: true,
        public: open,
        versioning,
        expire,
      }),
    ),
    ...connector,
    ...secrets,
    ...database,
    ...logsOf(config, make),
    ...(config.budget === null ? [] : [make('budget', budgetName(setting), null, config.budget)]),
    ...servicesOf(config, make, [account, repository, ...connector, ...secrets, ...database, ...roles].map(addressOf)),
    ...watchersOf(config, setting, make),
  ];
  const apis = unique([
    ...BASE_APIS,
    ...(config.network !== null && config.database !== null ? ['servicenetworking.googleapis.com'] : []),
    ...(config.billingExport === null ? [] : ['bigquery.googleapis.com']),
    ...config.apis,
    ...all.flatMap(({ kind }) => apisOf(kind)),
  ]).map((name) => make('api', name, null, {}));
  return [...apis, ...all.map((each) => needingApis(each))];
}

type Make = <K extends Kind>(
  kind: K,
  name: string,
  location: string | null,
  attributes: AttributesByKind[K],
  needs?: Address[],
) => Extract<Desired, { kind: K }>;

const maker =
  (labels: Labels): Make =>
  (kind, name, location, attributes, needs = []) =>
    ({ kind, name, location, attributes, labels, needs }) as Extract<Desired, { kind: typeof kind }>;

/** Whatever needs another needs its API too; the API of the other is needed by the other. */
const needingApis = (each: Desired): Desired => ({
  ...each,
  needs: [...apisOf(each.kind).map((name) => addressOf({ kind: 'api', name })), ...each.needs],
});

function databaseOf(config: CloudConfig, database: CloudDatabase, make: Make): Desired[] {
  const { network } = config;
  const instance = make(
    'sql-instance',
    database.instance,
    config.region,
    {
      version: `POSTGRES_${database.version}`,
      tier: database.tier,
      availability: database.highAvailability ? 'REGIONAL' : 'ZONAL',
      storageType: database.storageType,
      storageGb: database.storageGb,
      autoIncrease: database.autoIncrease,
      backupStart: database.backupStart,
      backupsKept: database.backupsKept,
      pointInTime: database.pointInTime,
      maintenance: database.maintenance,
      flags: database.maxConnections === null ? {} : { max_connections: String(database.maxConnections) },
      publicAddress: network === null,
      network: network?.name ?? null,
      deletionProtection: database.deletionProtection,
    },
    network === null ? [] : ['api/servicenetworking.googleapis.com'],
  );
  const on: Address = addressOf(instance);
  return [
    instance,
    make(
      'sql-database',
      `${database.instance}/${database.name}`,
      config.region,
      { instance: database.instance, extensions: database.extensions },
      [on],
    ),
    make(
      'sql-user',
      `${database.instance}/${database.user}`,
      config.region,
      { instance: database.instance, user: database.user, passwordSecret: database.passwordSecret },
      // The address that is put into its secret names the database; user and secrets must be there.
      [on, `secret/${database.passwordSecret}`, `secret/${database.urlSecret}`],
    ),
  ];
}

/** Of the whole project: where environments share one, they should say the same of it. */
function logsOf(config: CloudConfig, make: Make): Desired[] {
  const retention = make('log-retention', '_Default', null, { days: config.logDays });
  if (!config.auditLogs) return [retention];
  return [retention, make('audit-logs', 'project', null, { reads: true, writes: true })];
}

function servicesOf(config: CloudConfig, make: Make, needs: Address[]): Desired[] {
  const { database } = config;
  return config.services.map((service) =>
    make(
      'service',
      service.name,
      config.region,
      {
        image: service.image,
        memory: service.memory,
        cpu: service.cpu,
        minInstances: service.minInstances,
        maxInstances: service.maxInstances,
        timeoutS: service.timeoutS,
        public: service.public,
        account: config.account.name,
        sql: service.database && database !== null ? connectionName(config, database.instance) : null,
      },
      needs.filter((need) => service.database || !need.startsWith('sql-')),
    ),
  );
}

/** A look from outside and three alerts for each service that answers to everybody. */
function watchersOf(config: CloudConfig, setting: Setting, make: Make): Desired[] {
  const { emails, everyS } = config.alerts;
  const watched = config.services.filter((service) => service.public);
  const channels =
    watched.length === 0
      ? []
      : emails.map((email, index) => make('alert-channel', cloudName(setting, `alerts-${index + 1}`), null, { email }));
  const thresholds = { ...ALERT_THRESHOLDS, down: DOWN_LOOKS * everyS };
  return [
    ...channels,
    ...watched.flatMap((service): Desired[] => {
      const url =
        setting.urls?.get(service.service) ?? foreseenUrl(service.name, { ...setting, region: config.region });
      const check = make('uptime-check', cloudName(setting, service.service), null, {
        host: hostOf(url),
        path: service.health ?? '/',
        periodS: everyS,
      });
      const alerts = (['errors', 'latency', 'down'] as const).map((condition) =>
        make(
          'alert-policy',
          cloudName(setting, `${service.service}-${condition}`),
          null,
          {
            service: service.name,
            condition,
            threshold: thresholds[condition],
            channels: channels.map(({ name }) => name),
          },
          [...channels.map(addressOf), ...(condition === 'down' ? [addressOf(check)] : [])],
        ),
      );
      return [check, ...alerts];
    }),
  ];
}

const hostOf = (url: string): string => url.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];
