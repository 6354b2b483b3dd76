import { createHash } from 'node:crypto';
import { etagOf } from '../core/etag.ts';
import { GoogleError, invalid, notFound } from '../core/google-error.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, merged, objectAt, objectsAt, textAt, written } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { FLAGS, refuseTier } from './sql-catalogue.ts';

/** Instances by `<project>/<name>`. */
export const instances = (world: World) => world.state.table('sqladmin.instances');

export function findInstance(world: World, project: string, name: string): JsonObject {
  const instance = instances(world).get(`${project}/${name}`);
  if (instance === undefined)
    throw notFound('The Cloud SQL instance does not exist.', { reason: 'instanceDoesNotExist' });
  return instance;
}

/** One whose databases can be worked with now. */
export function runnable(world: World, project: string, name: string): JsonObject {
  const instance = findInstance(world, project, name);
  if (instance['state'] !== 'RUNNABLE' || textAt(instance, 'settings.activationPolicy') === 'NEVER')
    throw new GoogleError('INVALID_ARGUMENT', 'Invalid request since instance is not running.', {
      reason: 'invalidState',
    });
  return instance;
}

/** What a new instance has that the request does not say. */
export function newInstance(world: World, project: { id: string; number: string }, given: JsonObject): JsonObject {
  const name = textAt(given, 'name') ?? '';
  if (!/^[a-z]([a-z0-9-]{0,96}[a-z0-9])?$/.test(name))
    throw invalid(`Invalid request: Invalid instance name (${name}).`);
  const version = textAt(given, 'databaseVersion') ?? 'MYSQL_8_0';
  const region = textAt(given, 'region') ?? 'us-central';
  const settings = objectAt(given, 'settings');
  if (textAt(settings, 'tier') === undefined)
    throw invalid('Missing required field: tier.', [], { reason: 'required' });
  const postgres = Number(/^POSTGRES_(\d+)/.exec(version)?.[1] ?? 0);
  const { rootPassword: _, ...rest } = given;
  return stamped({
    ...rest,
    name,
    kind: 'sql#instance',
    project: project.id,
    region,
    databaseVersion: version,
    databaseInstalledVersion: version,
    backendType: 'SECOND_GEN',
    instanceType: textAt(given, 'instanceType') ?? 'CLOUD_SQL_INSTANCE',
    state: 'PENDING_CREATE',
    connectionName: `${project.id}:${region}:${name}`,
    gceZone: `${region}-b`,
    createTime: timestamp(world.now()),
    serviceAccountEmailAddress: `p${project.number}-${hash(name, 6)}@gcp-sa-cloud-sql.iam.gserviceaccount.com`,
    settings: checkedSettings(
      merged(
        {
          kind: 'sql#settings',
          settingsVersion: '1',
          activationPolicy: 'ALWAYS',
          availabilityType: 'ZONAL',
          pricingPlan: 'PER_USE',
          replicationType: 'SYNCHRONOUS',
          edition: postgres >= 16 ? 'ENTERPRISE_PLUS' : 'ENTERPRISE',
          dataDiskType: 'PD_SSD',
          dataDiskSizeGb: '10',
          storageAutoResize: true,
          storageAutoResizeLimit: '0',
          ipConfiguration: { ipv4Enabled: true, sslMode: 'ALLOW_UNENCRYPTED_AND_ENCRYPTED' },
          backupConfiguration: {
            kind: 'sql#backupConfiguration',
            enabled: false,
            startTime: '06:00',
            backupRetentionSettings: { retentionUnit: 'COUNT', retainedBackups: 7 },
            transactionLogRetentionDays: 7,
          },
          locationPreference: { kind: 'sql#locationPreference', zone: `${region}-b` },
        },
        settings,
      ),
      version,
    ),
  });
}

/** Refuses what Cloud SQL refuses at once. */
export function checkedSettings(settings: JsonObject, version: string): JsonObject {
  refuseTier(textAt(settings, 'tier') ?? '', textAt(settings, 'edition') ?? 'ENTERPRISE');
  for (const flag of objectsAt(settings, 'databaseFlags')) {
    const name = textAt(flag, 'name') ?? '';
    const known = FLAGS.find((one) => one.name === name);
    if (known === undefined) throw invalid(`Invalid flag for instance: ${name}.`, [], { reason: 'invalidFlagName' });
    if (known.type === 'INTEGER' && !/^-?\d+$/.test(textAt(flag, 'value') ?? ''))
      throw invalid(`Invalid flag value for ${name}.`, [], { reason: 'invalidFlagValue' });
  }
  const backup = objectAt(settings, 'backupConfiguration');
  const start = textAt(backup, 'startTime');
  if (start !== undefined && !/^([01]\d|2[0-3]):[0-5]\d$/.test(start))
    throw invalid('The start time of backups is HH:MM.');
  if (backup['pointInTimeRecoveryEnabled'] === true && backup['enabled'] !== true)
    throw invalid('Point in time recovery must be disabled when backup is disabled.');
  if (version.startsWith('POSTGRES') && backup['binaryLogEnabled'] === true)
    throw invalid('Binary log can only be enabled for MySQL instances.');
  const size = Number(settings['dataDiskSizeGb']);
  if (!(size >= 10 && size <= 65_536)) throw invalid(`Invalid disk size ${written(settings['dataDiskSizeGb'])}.`);
  const ip = objectAt(settings, 'ipConfiguration');
  if (ip['ipv4Enabled'] === false && ip['privateNetwork'] === undefined && ip['pscConfig'] === undefined)
    throw invalid('At least one of Public IP or Private IP or PSC connectivity must be enabled.');
  const { day, hour } = objectAt(settings, 'maintenanceWindow');
  if (Number(day ?? 0) > 7 || Number(hour ?? 0) > 23) throw invalid('Invalid maintenance window.');
  return settings;
}

/** The addresses that the settings ask for. */
export function addressesOf(key: string, settings: JsonObject): JsonObject[] {
  const byte = Number.parseInt(hash(key, 2), 16);
  const ip = objectAt(settings, 'ipConfiguration');
  return [
    ...(ip['ipv4Enabled'] === false ? [] : [{ type: 'PRIMARY', ipAddress: `203.0.113.${String(byte)}` }]),
    ...(ip['privateNetwork'] === undefined ? [] : [{ type: 'PRIVATE', ipAddress: `10.64.0.${String(byte)}` }]),
  ];
}

export function stamped(instance: JsonObject): JsonObject {
  const { etag: _, ...rest } = instance;
  return { ...rest, etag: createHash('sha256').update(etagOf(rest)).digest('hex') };
}

/** As a version of the API answers it. */
export function shownInstance(instance: JsonObject, base: string): JsonObject {
  const path = `projects/${written(instance['project'])}/instances/${written(instance['name'])}`;
  return made({ ...instance, selfLink: `${base}/${path}` });
}

const hash = (text: string, length: number): string => createHash('sha256').update(text).digest('hex').slice(0, length);
