import type { CloudConfig, CloudDatabase } from '../../src/domain/cloud/config.ts';
import { desiredOf } from '../../src/domain/cloud/desired.ts';
import { type Change, changesOf, planOf } from '../../src/domain/cloud/plan.ts';
import type { Address, Desired, Kind, Observed } from '../../src/domain/cloud/resource.ts';
import { addressOf, ownLabels } from '../../src/domain/cloud/resource.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { googleCloud } from '../../src/drivers/cloud/google/google-cloud.ts';
import { findCredentials } from '../../src/platform/google/credentials.ts';
import { type GoogleHttp, openGoogle } from '../../src/platform/google/http.ts';
import type { Cloud, CloudScope, Look } from '../../src/ports/cloud.ts';
import { TOKEN } from '../emulator/emulated.ts';

export const SCOPE: CloudScope = {
  cloudProject: 'demo-project',
  region: 'europe-west1',
  project: 'chat',
  environment: 'production',
};

export const LABELS = ownLabels(SCOPE);

export const DATABASE: CloudDatabase = {
  key: 'main',
  instance: 'chat-production-main',
  version: 15,
  tier: 'db-custom-1-3840',
  highAvailability: false,
  storageGb: 10,
  storageType: 'SSD',
  autoIncrease: true,
  backupStart: '03:00',
  backupsKept: 30,
  pointInTime: true,
  maintenance: { day: 7, hour: 4 },
  maxConnections: 100,
  extensions: ['vector'],
  name: 'chat',
  user: 'chat',
  passwordSecret: 'database-password',
  urlSecret: 'database-url',
  deletionProtection: true,
};

/** The driver as the CLI makes it, against an emulator; `pace` 1 ms: it waits for nothing but answers. */
export async function driverAt(
  emulator: Pick<Emulator, 'url'>,
  options: { scope?: Partial<CloudScope>; database?: CloudDatabase | null; token?: string } = {},
) {
  const env = { EVENKEEL_CLOUD_ENDPOINT: emulator.url, EVENKEEL_CLOUD_TOKEN: options.token ?? TOKEN };
  const credentials = await findCredentials({ env });
  const http: GoogleHttp = openGoogle({ credentials, endpoint: new URL(emulator.url), pace: 1 });
  const scope = { ...SCOPE, ...options.scope };
  const cloud = googleCloud({ scope, http, database: options.database ?? null });
  return { cloud, http, scope };
}

export type Wanted<K extends Kind> = Extract<Desired, { kind: K }>;

export function wanted<K extends Kind>(kind: K, name: string, attributes: Wanted<K>['attributes']): Wanted<K> {
  return { kind, name, location: null, attributes, labels: { ...LABELS }, needs: [] } as unknown as Wanted<K>;
}

export const quiet = (): void => {};
export const never = (): AbortSignal => new AbortController().signal;

/** Everything of these kinds, where all of them answered. */
export async function seen(
  cloud: {
    look: (kinds: readonly Kind[], options: { deadlineMs: number; signal: AbortSignal }) => AsyncIterable<Look>;
  },
  ...kinds: Kind[]
): Promise<Observed[]> {
  const found: Observed[] = [];
  for await (const look of cloud.look(kinds, { deadlineMs: 20_000, signal: never() })) {
    if ('problem' in look) throw new Error(`${look.kind}: ${look.problem.code} ${look.problem.message}`);
    found.push(...look.resources);
  }
  return found;
}

/** Looks, plans, and carries the plan out, what does not need each other at once; answers what was changed. Throws all that failed. */
export async function setUp(cloud: Cloud, desired: readonly Desired[]): Promise<string[]> {
  const made = desired.filter(({ kind }) => kind !== 'service');
  const kinds = [...new Set(made.map(({ kind }) => kind))];
  const sight = { observed: await seen(cloud, ...kinds), unknown: [] };
  const changes = changesOf(planOf(made, sight, SCOPE));
  const running = new Map<Address, Promise<void>>();
  const carry = (change: Change): Promise<void> => {
    const address = addressOf(change.desired);
    const known = running.get(address);
    if (known !== undefined) return known;
    const work = (async () => {
      await Promise.all(changes.filter(({ desired }) => change.desired.needs.includes(addressOf(desired))).map(carry));
      if (change.action === 'replace') await cloud.remove(change.observed, quiet, never());
      if (change.action !== 'update') await cloud.create(change.desired, quiet, never());
      else await cloud.update(change.desired, change.observed, quiet, never());
    })();
    running.set(address, work);
    return work;
  };
  const ended = await Promise.allSettled(changes.map(carry));
  const failed = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (failed.length > 0) throw new AggregateError(failed, failed.map(String).join('\n'));
  return changes.map(({ action, desired: { kind, name } }) => `${action} ${kind}/${name}`);
}

export const CONFIG: CloudConfig = {
  provider: 'google',
  project: SCOPE.cloudProject,
  region: SCOPE.region,
  apis: [],
  labels: { team: 'a' },
  network: { name: 'default', egress: 'connector', range: '10.8.0.0/28' },
  account: { name: 'chat-production', roles: ['roles/cloudsql.client', 'roles/run.invoker'], keyFile: null },
  repository: { name: 'chat-production', keepVersions: 10 },
  database: null,
  buckets: [
    { key: 'avatars', name: 'clone-avatars-production', public: true, versioning: false, expire: null },
    {
      key: 'temp',
      name: 'clone-temp-production',
      public: false,
      versioning: true,
      expire: { days: 1, prefixes: ['tmp/'] },
    },
  ],
  secrets: [{ variable: 'JWT_SECRET', id: 'jwt-secret' }],
  budget: { amount: 120.5, currency: 'EUR', thresholds: [0.5, 0.9, 1] },
  billingExport: null,
  logDays: 90,
  auditLogs: true,
  services: [
    {
      service: 'api',
      name: 'chat-production-api',
      public: true,
      database: false,
      port: 8080,
      memory: 512 * 2 ** 20,
      cpu: 1,
      minInstances: 0,
      maxInstances: 10,
      timeoutS: 300,
      concurrency: 80,
      health: '/health',
      dockerfile: 'Dockerfile',
      context: '.',
      image: null,
      env: {},
      urlVariable: 'API_URL',
    },
  ],
  runsServices: true,
  urlFile: null,
  alerts: { emails: ['ops@example.com'], everyS: 300 },
};

export const desiredFor = (config: CloudConfig): Desired[] =>
  desiredOf(config, { project: SCOPE.project, environment: SCOPE.environment, projectNumber: '123456789012' });
