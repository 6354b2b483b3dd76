import type { Call, Handler } from '../core/api.ts';
import { filterOf } from '../core/filter.ts';
import { alreadyExists, GoogleError, invalid, notFound } from '../core/google-error.ts';
import { paged } from '../core/paged.ts';
import { page } from '../core/pages.ts';
import type { World } from '../core/world.ts';
import { at, isObject, made, merged, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { flags, tiers } from './sql-catalogue.ts';
import { fingerprint } from './sql-contents.ts';
import { executeSql } from './sql-execute.ts';
import { checkedSettings, findInstance, instances, newInstance, shownInstance, stamped } from './sql-instance.ts';
import { refuseBusy, renderSql, startSql } from './sql-operations.ts';

const projectId = (call: Call): string => call.project?.id ?? '';

/** Instances, operations and what can be chosen, with links below `base`. */
export const instanceHandlers = (base: string): Record<string, Handler> => ({
  'sql.instances.insert': (call, world) => {
    const project = call.project ?? world.projects.find(call.at('project'));
    const instance = newInstance(world, project, call.body);
    const name = textAt(instance, 'name') ?? '';
    if (instances(world).has(`${project.id}/${name}`))
      throw alreadyExists('The Cloud SQL instance already exists.', { reason: 'instanceAlreadyExists' });
    instances(world).set(`${project.id}/${name}`, instance);
    const password = textAt(call.body, 'rootPassword');
    const args = made({ rootFingerprint: password === undefined ? undefined : fingerprint(password) });
    return startSql(call, world, base, { type: 'CREATE', instance: name, args });
  },
  'sql.instances.get': (call, world) => shownInstance(findInstance(world, projectId(call), call.at('instance')), base),
  'sql.instances.list': (call, world) => {
    const all = instances(world)
      .list(`${projectId(call)}/`)
      .filter(filterOf(call.query('filter')));
    const { entries, nextPageToken } = paged(call, all, { usual: 500 });
    const items = entries.map((instance) => shownInstance(instance, base));
    return made({ kind: 'sql#instancesList', items: items.length === 0 ? undefined : items, nextPageToken });
  },
  'sql.instances.patch': (call, world) =>
    change(call, world, base, (before) => {
      const given = objectAt(call.body, 'settings');
      const settings = merged(objectAt(before, 'settings'), given);
      // Lists and labels are replaced, not joined.
      if (isObject(given['userLabels'])) settings['userLabels'] = given['userLabels'];
      return made({
        ...(call.body['databaseVersion'] === undefined ? {} : { databaseVersion: call.body['databaseVersion'] }),
        settings,
      });
    }),
  'sql.instances.update': (call, world) =>
    change(call, world, base, (before) => {
      const kept = ['kind', 'edition', 'settingsVersion', 'pricingPlan', 'replicationType', 'locationPreference'];
      const was = objectAt(before, 'settings');
      const same = Object.fromEntries(kept.flatMap((key) => (was[key] === undefined ? [] : [[key, was[key]]])));
      return { settings: { ...same, ...objectAt(call.body, 'settings') } };
    }),
  'sql.instances.restart': (call, world) => {
    findInstance(world, projectId(call), call.at('instance'));
    return startSql(call, world, base, { type: 'RESTART', instance: call.at('instance'), args: {} });
  },
  'sql.instances.delete': (call, world) => {
    const name = call.at('instance');
    const instance = findInstance(world, projectId(call), name);
    if (at(instance, 'settings.deletionProtectionEnabled') === true)
      throw invalid('The instance is protected. Please disable the deletion protection and try again.', [], {
        reason: 'deletionProtectionEnabled',
      });
    refuseBusy(call, world, name);
    instances(world).set(`${projectId(call)}/${name}`, stamped({ ...instance, state: 'PENDING_DELETE' }));
    return startSql(call, world, base, { type: 'DELETE', instance: name, args: {} });
  },
  'sql.instances.executeSql': executeSql,
  'sql.operations.get': (call, world) => {
    const row = world.operations.find(`sql/${projectId(call)}/${call.at('operation')}`);
    if (row === undefined) throw notFound('The operation does not exist.', { reason: 'operationDoesNotExist' });
    return renderSql(row, base);
  },
  'sql.operations.list': (call, world) => {
    const wanted = call.query('instance');
    const all = world.operations
      .list(`sql/${projectId(call)}/`)
      .filter((row) => wanted === undefined || textAt(row, 'extra.instance') === wanted);
    const newestFirst = (row: JsonObject): string =>
      `${String(8.64e15 - Number(row['startedAt'])).padStart(17, '0')} ${textAt(row, 'id') ?? ''}`;
    const query = { size: call.query('maxResults'), token: call.query('pageToken') };
    const { entries, nextPageToken } = page(all, newestFirst, query);
    const items = entries.map((row) => renderSql(row, base));
    return made({ kind: 'sql#operationsList', items, nextPageToken });
  },
  'sql.tiers.list': () => ({ kind: 'sql#tiersList', items: tiers() }),
  'sql.flags.list': () => ({ kind: 'sql#flagsList', items: flags() }),
  'sql.connect.get': (call, world) => {
    const instance = findInstance(world, projectId(call), call.at('instance'));
    const { region, databaseVersion, backendType, ipAddresses, connectionName } = instance;
    return made({ kind: 'sql#connectSettings', region, databaseVersion, backendType, ipAddresses, connectionName });
  },
});

/** Takes the new settings at once, as far as they are legal; the instance has them when the operation ends. */
function change(call: Call, world: World, base: string, by: (before: JsonObject) => JsonObject): Promise<JsonObject> {
  const name = call.at('instance');
  const before = findInstance(world, projectId(call), name);
  const asked = textAt(call.body, 'settings.settingsVersion');
  const current = textAt(before, 'settings.settingsVersion') ?? '1';
  if (asked !== undefined && asked !== current)
    throw new GoogleError('CONDITION_NOT_MET', 'Condition does not match.', { reason: 'staleData' });
  const after = by(before);
  const settings = checkedSettings(
    { ...objectAt(after, 'settings'), settingsVersion: String(Number(current) + 1) },
    textAt(before, 'databaseVersion') ?? '',
  );
  if (Number(settings['dataDiskSizeGb']) < Number(at(before, 'settings.dataDiskSizeGb')))
    throw invalid('Disk size cannot be decreased.');
  return startSql(call, world, base, { type: 'UPDATE', instance: name, args: { after: { ...after, settings } } });
}
