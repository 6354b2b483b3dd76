import type { sqladmin_v1 } from '@googleapis/sqladmin';
import { called } from '../../../../platform/google/http.ts';
import { EvenkeelError } from '../../../../ports/errors.ts';
import type { Google } from '../google.ts';
import {
  againOnConflict,
  allPages,
  ifThere,
  type KindDriver,
  labelsOf,
  lastPart,
  type Seen,
  type Sight,
  timeOf,
  type Wanted,
  type Work,
} from '../kind-driver.ts';
import { changeSql, untilIdle } from '../sql.ts';

type Instance = sqladmin_v1.Schema$DatabaseInstance;
type Settings = sqladmin_v1.Schema$Settings;
type Attributes = Seen<'sql-instance'>['attributes'];

export function stateOf({ state, settings }: Instance): Seen<'sql-instance'>['state'] {
  if (state === 'FAILED') return 'failed';
  if (state === 'SUSPENDED' || settings?.activationPolicy === 'NEVER') return 'stopped';
  return state === 'RUNNABLE' ? 'ready' : 'changing';
}

/** `…/global/networks/default` -> `default` */
const networkOf = (settings: Settings | undefined): string | null =>
  settings?.ipConfiguration?.privateNetwork ? lastPart(settings.ipConfiguration.privateNetwork) : null;

export function seenOf(instance: Instance): Seen<'sql-instance'> {
  const settings = instance.settings ?? {};
  const backup = settings.backupConfiguration;
  const attributes: Attributes = {
    version: instance.databaseVersion ?? '',
    tier: settings.tier ?? '',
    availability: settings.availabilityType === 'REGIONAL' ? 'REGIONAL' : 'ZONAL',
    storageType: settings.dataDiskType === 'PD_HDD' ? 'HDD' : 'SSD',
    storageGb: Number(settings.dataDiskSizeGb ?? 0),
    autoIncrease: settings.storageAutoResize ?? true,
    backupStart: backup?.enabled === true ? (backup.startTime ?? '') : '',
    backupsKept: backup?.backupRetentionSettings?.retainedBackups ?? 7,
    pointInTime: backup?.pointInTimeRecoveryEnabled ?? false,
    maintenance: { day: settings.maintenanceWindow?.day ?? 0, hour: settings.maintenanceWindow?.hour ?? 0 },
    flags: Object.fromEntries((settings.databaseFlags ?? []).map(({ name, value }) => [name ?? '', value ?? ''])),
    publicAddress: settings.ipConfiguration?.ipv4Enabled ?? true,
    network: networkOf(settings),
    deletionProtection: settings.deletionProtectionEnabled ?? false,
  };
  return {
    kind: 'sql-instance',
    name: instance.name ?? '',
    location: instance.region ?? null,
    attributes,
    labels: labelsOf(settings.userLabels),
    state: stateOf(instance),
    createdAt: timeOf(instance.createTime),
    ...(instance.state === 'FAILED'
      ? { problem: `it never came up: evenkeel cloud delete sql-instance/${instance.name ?? ''}, then set up again` }
      : {}),
  };
}

function settingsOf({ attributes, labels }: Wanted<'sql-instance'>, { scope }: Google, before: Settings): Settings {
  const { maintenance, network } = attributes;
  return {
    tier: attributes.tier,
    // Said, since newer Postgres would come in a dearer edition that has no small tiers.
    edition: before.edition ?? 'ENTERPRISE',
    availabilityType: attributes.availability,
    dataDiskType: attributes.storageType === 'HDD' ? 'PD_HDD' : 'PD_SSD',
    // It grows by itself, and never shrinks.
    dataDiskSizeGb: String(Math.max(attributes.storageGb, Number(before.dataDiskSizeGb ?? 0))),
    storageAutoResize: attributes.autoIncrease,
    backupConfiguration: {
      ...before.backupConfiguration,
      enabled: true,
      startTime: attributes.backupStart,
      pointInTimeRecoveryEnabled: attributes.pointInTime,
      ...(attributes.pointInTime ? { transactionLogRetentionDays: 7 } : {}),
      backupRetentionSettings: { retentionUnit: 'COUNT', retainedBackups: attributes.backupsKept },
    },
    maintenanceWindow: { ...before.maintenanceWindow, day: maintenance.day, hour: maintenance.hour },
    databaseFlags: Object.entries(attributes.flags).map(([name, value]) => ({ name, value })),
    ipConfiguration: {
      ...before.ipConfiguration,
      ipv4Enabled: attributes.publicAddress,
      ...(network === null ? {} : { privateNetwork: `projects/${scope.cloudProject}/global/networks/${network}` }),
    },
    deletionProtectionEnabled: attributes.deletionProtection,
    userLabels: { ...before.userLabels, ...labels },
    // Extensions are made and looked at through it.
    dataApiAccess: 'ALLOW_DATA_API',
  };
}

export const instancesIn = ({ google, signal, once }: Sight): Promise<Seen<'sql-instance'>[]> =>
  once('sql-instances', async () => {
    const client = await google.clients.sqladmin();
    const project = google.scope.cloudProject;
    const all = await allPages(
      (pageToken) =>
        called(
          client.instances.list(
            { project, maxResults: 500, ...(pageToken === undefined ? {} : { pageToken }) },
            { signal },
          ),
        ),
      (page) => page.items,
    );
    return all.map(seenOf);
  });

const get = async ({ google, signal }: Work, instance: string): Promise<Instance | null> => {
  const client = await google.clients.sqladmin();
  return ifThere(() => called(client.instances.get({ project: google.scope.cloudProject, instance }, { signal })));
};

/**
 * Reads, merges and writes under the version that was read, so that no change of another is lost. `change` gives null
 * when nothing has to change.
 */
async function patch(
  work: Work,
  name: string,
  doing: string,
  change: (before: Instance) => Instance | null,
): Promise<Instance> {
  const { google, signal } = work;
  const client = await google.clients.sqladmin();
  const project = google.scope.cloudProject;
  await againOnConflict(async () => {
    for (let tries = 1; ; tries += 1) {
      const before = await get(work, name);
      if (before === null) return gone(name);
      const after = change(before);
      if (after === null) return;
      const settingsVersion = before.settings?.settingsVersion;
      const settings = { ...after.settings, ...(settingsVersion ? { settingsVersion } : {}) };
      const done = await changeSql(work, name, doing, () =>
        called(client.instances.patch({ project, instance: name, requestBody: { ...after, settings } }, { signal })),
      );
      // Refused, since somebody changed it after it was read.
      if (done !== null || tries >= 6) return;
    }
  });
  return (await get(work, name)) ?? gone(name);
}

function gone(name: string): never {
  throw new EvenkeelError({
    code: 'cloud-conflict',
    what: `the instance ${name} is not there any more: somebody deleted it meanwhile`,
    next: 'run the same again',
    retryable: true,
    exit: 2,
  });
}

export const sqlInstance: KindDriver<'sql-instance'> = {
  observe: instancesIn,
  async create(wanted, work) {
    const { google, signal, say } = work;
    const client = await google.clients.sqladmin();
    const doing = `creating sql-instance/${wanted.name}`;
    say('creating');
    const requestBody: Instance = {
      name: wanted.name,
      region: wanted.location ?? google.scope.region,
      databaseVersion: wanted.attributes.version,
      settings: { ...settingsOf(wanted, google, {}), activationPolicy: 'ALWAYS' },
    };
    const made = await changeSql(work, wanted.name, doing, () =>
      called(client.instances.insert({ project: google.scope.cloudProject, requestBody }, { signal })),
    );
    if (made === null) await untilIdle(work, wanted.name, doing).catch(nameInUse(wanted.name));
    const there = await get(work, wanted.name);
    if (there === null) return nameInUse(wanted.name)(null);
    return seenOf(there);
  },
  async update(wanted, _seen, work) {
    work.say('updating');
    const doing = `updating sql-instance/${wanted.name}`;
    const change = (before: Instance): Instance => ({
      settings: settingsOf(wanted, work.google, before.settings ?? {}),
      ...(before.databaseVersion === wanted.attributes.version ? {} : { databaseVersion: wanted.attributes.version }),
    });
    return seenOf(await patch(work, wanted.name, doing, change));
  },
  /** Takes the protection against deletion off first: whoever asks for this has confirmed it. */
  async remove(target, work) {
    const { google, signal, say } = work;
    const client = await google.clients.sqladmin();
    const doing = `deleting sql-instance/${target.name}`;
    const unprotected = (before: Instance): Instance | null => {
      if (before.settings?.deletionProtectionEnabled !== true) return null;
      say('taking its protection off');
      return { settings: { deletionProtectionEnabled: false } };
    };
    await ifThere(() => patch(work, target.name, doing, unprotected)).catch(async (error: unknown) => {
      // Somebody else deletes it just now.
      if ((await get(work, target.name)) !== null) throw error;
    });
    say('deleting');
    await ifThere(() =>
      changeSql(work, target.name, doing, () =>
        called(client.instances.delete({ project: google.scope.cloudProject, instance: target.name }, { signal })),
      ),
    );
  },
  async setRunning(seen, running, work) {
    const activationPolicy = running ? 'ALWAYS' : 'NEVER';
    const act = running ? 'starting' : 'stopping';
    work.say(act);
    await patch(work, seen.name, `${act} sql-instance/${seen.name}`, (before) =>
      before.settings?.activationPolicy === activationPolicy ? null : { settings: { activationPolicy } },
    );
  },
};

const nameInUse =
  (name: string) =>
  (error: unknown): never => {
    if (error instanceof EvenkeelError && error.code !== 'cloud-not-found') throw error;
    throw new EvenkeelError({
      code: 'cloud-name-taken',
      what: `Cloud SQL does not give the name ${name}`,
      why: 'the name of a deleted instance stays reserved for about a week',
      next: 'wait, or name the instance otherwise in evenkeel.yaml (databases: … instance:)',
      exit: 2,
      cause: error,
    });
  };
