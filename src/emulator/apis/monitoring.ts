import type { Api } from '../core/api.ts';
import { collection } from '../core/collection.ts';
import { invalid } from '../core/google-error.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, objectsAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { listTimeSeries } from './monitoring-series.ts';

const PERIODS = ['60s', '300s', '600s', '900s'];

export const monitoring: Api = {
  document: 'monitoring.v3',
  handlers: {
    'monitoring.projects.timeSeries.list': listTimeSeries,
    ...collection({
      methods: 'monitoring.projects.uptimeCheckConfigs',
      table: 'monitoring.uptimeChecks',
      list: 'uptimeCheckConfigs',
      parent: 'parent',
      name: 'name',
      nameOf: (call, world) => {
        const slug = (textAt(call.body, 'displayName') ?? '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
        return `${call.at('parent')}/uptimeCheckConfigs/${slug}-${String(world.state.next())}`;
      },
      kept: (given) => {
        if ((textAt(given, 'displayName') ?? '') === '') throw invalid('A display name is required.');
        const check = { period: '60s', timeout: '10s', checkerType: 'STATIC_IP_CHECKERS', ...given };
        if (!PERIODS.includes(textAt(check, 'period') ?? ''))
          throw invalid(`The period is one of ${PERIODS.join(', ')}.`);
        if (given['httpCheck'] === undefined && given['tcpCheck'] === undefined) throw invalid('A check is required.');
        if (given['monitoredResource'] === undefined && given['resourceGroup'] === undefined)
          throw invalid('A monitored resource is required.');
        return check;
      },
      unused: (name, _call, world) => {
        const id = name.slice(name.lastIndexOf('/') + 1);
        refuseUsed(world, name, (policy) => JSON.stringify(policy).includes(`check_id = \\"${id}\\"`));
      },
    }),
    ...collection({
      methods: 'monitoring.projects.alertPolicies',
      table: 'monitoring.alertPolicies',
      list: 'alertPolicies',
      parent: 'name',
      name: 'name',
      nameOf: (call, world) => `${call.at('name')}/alertPolicies/${idOf(world)}`,
      kept: (given, world, call, before) => {
        const conditions = objectsAt(given, 'conditions');
        if (conditions.length === 0 || conditions.length > 6) throw invalid('From 1 to 6 conditions are required.');
        if ((textAt(given, 'combiner') ?? 'COMBINE_UNSPECIFIED') === 'COMBINE_UNSPECIFIED')
          throw invalid('A combiner is required.');
        for (const channel of textsAt(given, 'notificationChannels'))
          if (!world.state.table('monitoring.notificationChannels').has(channel))
            throw invalid(`The notification channel ${channel} does not exist.`);
        const record = mutation(world, call.caller.email);
        return {
          enabled: true,
          ...given,
          conditions: conditions.map((condition) => ({
            ...condition,
            name: textAt(condition, 'name') ?? `${textAt(given, 'name') ?? ''}/conditions/${idOf(world)}`,
          })),
          creationRecord: before?.['creationRecord'] ?? record,
          mutationRecord: record,
        };
      },
    }),
    ...collection({
      methods: 'monitoring.projects.notificationChannels',
      table: 'monitoring.notificationChannels',
      list: 'notificationChannels',
      parent: 'name',
      name: 'name',
      nameOf: (call, world) => `${call.at('name')}/notificationChannels/${idOf(world)}`,
      kept: (given, world, call, before) => {
        const type = textAt(given, 'type') ?? '';
        if (type === '') throw invalid('The type of a notification channel is required.');
        if (type === 'email' && textAt(given, 'labels.email_address') === undefined)
          throw invalid("The channel's type needs the label 'email_address'.");
        const record = mutation(world, call.caller.email);
        return made({ enabled: true, ...given, creationRecord: before?.['creationRecord'] ?? record });
      },
      unused: (name, call, world) => {
        if (call.query('force') === 'true') return;
        refuseUsed(world, name, (policy) => textsAt(policy, 'notificationChannels').includes(name));
      },
    }),
  },
};

/** As Google does: an alert that watches or tells nothing any more would look as if all were well. */
function refuseUsed(world: World, name: string, uses: (policy: JsonObject) => boolean): void {
  const project = name.split('/').slice(0, 2).join('/');
  const policy = world.state.table('monitoring.alertPolicies').list(`${project}/`).find(uses);
  if (policy !== undefined)
    throw invalid(`${name} cannot be deleted: the alert policy ${textAt(policy, 'name') ?? ''} refers to it.`);
}

const idOf = (world: World): string => String(10_000_000_000 + world.state.next());

const mutation = (world: World, email: string): JsonObject => ({
  mutateTime: timestamp(world.now()),
  mutatedBy: email,
});
