import { ownLabels, type Address, type Desired, type Kind } from '../../../src/domain/cloud/resource.ts';

export const SCOPE = { project: 'chat', environment: 'staging' };

type Sample<K extends Kind> = Extract<Desired, { kind: K }>;

const labels = ownLabels(SCOPE);

/** One desired resource, labelled as ours. */
export function desired<K extends Kind>(
  kind: K,
  name: string,
  attributes: Sample<K>['attributes'],
  needs: Address[] = [],
  location: string | null = null,
): Desired {
  return { kind, name, location, attributes, labels, needs } as unknown as Desired;
}

const REGION = 'europe-west1';

export const apiSample = (name = 'run.googleapis.com'): Desired => desired('api', name, {});

export const bucketSample = (name = 'chat-staging-media', expireDays: number | null = 7): Desired =>
  desired(
    'bucket',
    name,
    {
      storageClass: 'STANDARD',
      uniformAccess: true,
      public: false,
      versioning: false,
      expire: expireDays === null ? null : { days: expireDays, prefixes: [] },
    },
    [],
    REGION,
  );

export const instanceSample = (name = 'chat-staging-main', tier = 'db-f1-micro'): Desired =>
  desired(
    'sql-instance',
    name,
    {
      version: 'POSTGRES_15',
      tier,
      availability: 'ZONAL',
      storageType: 'SSD',
      storageGb: 10,
      autoIncrease: true,
      backupStart: '03:00',
      backupsKept: 7,
      pointInTime: false,
      maintenance: { day: 7, hour: 4 },
      flags: { max_connections: '100' },
      publicAddress: true,
      network: null,
      deletionProtection: false,
    },
    ['api/sqladmin.googleapis.com'],
    REGION,
  );

export const secretSample = (name = 'jwt-secret'): Desired =>
  desired('secret', name, { replication: 'automatic' }, ['api/secretmanager.googleapis.com']);

/** A small system with a database: every kind that set-up makes most often, with what each needs. */
export function samples(): Desired[] {
  const instance = 'chat-staging-main';
  return [
    apiSample('sqladmin.googleapis.com'),
    apiSample('secretmanager.googleapis.com'),
    apiSample('iam.googleapis.com'),
    apiSample('artifactregistry.googleapis.com'),
    desired('account', 'chat-staging', { displayName: 'chat in staging' }, ['api/iam.googleapis.com']),
    desired('role', 'chat-staging/roles/run.invoker', { account: 'chat-staging', role: 'roles/run.invoker' }, [
      'account/chat-staging',
    ]),
    desired(
      'repository',
      'chat-staging',
      { format: 'DOCKER', keepVersions: 10 },
      ['api/artifactregistry.googleapis.com'],
      REGION,
    ),
    bucketSample(),
    secretSample('jwt-secret'),
    secretSample('database-password'),
    secretSample('database-url'),
    instanceSample(instance),
    desired('sql-database', `${instance}/app`, { instance, extensions: [] }, [`sql-instance/${instance}`]),
    desired('sql-user', `${instance}/app`, { instance, user: 'app', passwordSecret: 'database-password' }, [
      `sql-instance/${instance}`,
      'secret/database-password',
    ]),
  ];
}
