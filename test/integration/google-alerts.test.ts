import { afterEach, expect, test } from 'vitest';
import { MONITORING } from '../../src/drivers/cloud/google/kinds/uptime-check.ts';
import { desiredOf } from '../../src/domain/cloud/desired.ts';
import { ask, emulated, endEmulators } from '../emulator/emulated.ts';
import { CONFIG, desiredFor, driverAt, never, seen, setUp } from '../support/google.ts';

afterEach(endEmulators);

interface Policy {
  name: string;
  displayName: string;
  notificationChannels?: string[];
}

test('alerts are sent to the addresses of the file, and to whom people have added in the console', async () => {
  const emulator = await emulated();
  const { cloud, http, scope } = await driverAt(emulator);
  const watched = (emails: string[]) =>
    desiredFor({ ...CONFIG, alerts: { emails, everyS: 300 } }).filter(({ kind }) =>
      ['api', 'alert-channel', 'uptime-check', 'alert-policy'].includes(kind),
    );
  const base = `${MONITORING}/projects/${scope.cloudProject}`;
  const channelsOf = async (): Promise<string[][]> => {
    const { alertPolicies } = await http.request<{ alertPolicies: Policy[] }>('GET', `${base}/alertPolicies`, {
      signal: never(),
    });
    return alertPolicies.map(({ notificationChannels = [] }) => notificationChannels);
  };
  const emails = async (): Promise<string[]> =>
    (await seen(cloud, 'alert-channel')).map(({ attributes }) => ('email' in attributes ? attributes.email : ''));

  await setUp(cloud, watched(['ops@example.com', 'boss@example.com']));
  expect((await emails()).toSorted()).toEqual(['boss@example.com', 'ops@example.com']);
  expect((await channelsOf()).map((each) => each.length)).toEqual([2, 2, 2]);

  const { body } = await ask(
    emulator,
    'POST',
    'monitoring',
    `/v3/projects/${scope.cloudProject}/notificationChannels`,
    {
      body: { type: 'pagerduty', displayName: 'pager', labels: { service_key: 'x' } },
    },
  );
  const pager = (body as Policy).name;
  const [first] = await seen(cloud, 'alert-policy');
  await http.request('PATCH', `${MONITORING}/${first?.id ?? ''}`, {
    query: { updateMask: 'notificationChannels' },
    body: { notificationChannels: [...((await channelsOf())[0] ?? []), pager] },
    signal: never(),
  });
  expect(await setUp(cloud, watched(['ops@example.com', 'boss@example.com']))).toEqual([]);

  const used = (await seen(cloud, 'alert-channel'))[0];
  if (used !== undefined)
    await expect(cloud.remove(used, () => {}, never())).rejects.toMatchObject({
      why: expect.stringContaining('refers to it') as string,
    });

  // A service that is somewhere else is looked at there, by the same alert.
  const moved = 'https://chat-production-api-x7abcdefgh-ew.a.run.app';
  const elsewhere = desiredOf(
    { ...CONFIG, alerts: { emails: ['ops@example.com', 'boss@example.com'], everyS: 300 } },
    { project: 'chat', environment: 'production', projectNumber: '1', urls: new Map([['api', moved]]) },
  ).find(({ kind }) => kind === 'uptime-check');
  const [check] = await seen(cloud, 'uptime-check');
  if (elsewhere === undefined || check === undefined) throw new Error('there is no check');
  await cloud.remove(check, () => {}, never());
  await cloud.create(elsewhere, () => {}, never());
  expect((await seen(cloud, 'uptime-check')).map(({ attributes }) => attributes)).toMatchObject([
    { host: new URL(moved).host },
  ]);

  // An address that changes is changed where it is; nobody is told any more, but for whom people added.
  expect(await setUp(cloud, watched(['ops@example.com', 'chief@example.com']))).toEqual([
    'update alert-channel/chat-production-alerts-2',
    'replace uptime-check/chat-production-api',
  ]);
  expect((await emails()).toSorted()).toEqual(['chief@example.com', 'ops@example.com']);
  await setUp(cloud, watched([]));
  expect((await channelsOf()).toSorted((a, b) => a.length - b.length)).toEqual([[], [], [pager]]);
  for (const channel of await seen(cloud, 'alert-channel')) await cloud.remove(channel, () => {}, never());
  expect(await emails()).toEqual([]);
});
