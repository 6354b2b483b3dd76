import type { Google } from '../google.ts';
import { allPages, ifThere, type KindDriver, labelsOf, type Seen, type Sight, type Wanted } from '../kind-driver.ts';
import { madeOnce } from '../shown-name.ts';

export interface UptimeCheck {
  name?: string;
  displayName?: string;
  monitoredResource?: { type?: string; labels?: Record<string, string> };
  httpCheck?: { path?: string; port?: number; useSsl?: boolean; validateSsl?: boolean };
  period?: string;
  userLabels?: Record<string, string>;
}

export const MONITORING = 'https://monitoring.googleapis.com/v3';

const placeOf = ({ scope }: Google): string => `${MONITORING}/projects/${scope.cloudProject}/uptimeCheckConfigs`;

export const checksOf = (google: Google, signal: AbortSignal): Promise<UptimeCheck[]> =>
  allPages(
    (pageToken) =>
      google.http.request<{ uptimeCheckConfigs?: UptimeCheck[]; nextPageToken?: string }>('GET', placeOf(google), {
        query: { pageSize: 100, pageToken },
        signal,
      }),
    (page) => page.uptimeCheckConfigs,
  );

export const checksIn = ({ google, signal, once }: Sight): Promise<UptimeCheck[]> =>
  once('uptime-checks', () => checksOf(google, signal));

const seenOf = (check: UptimeCheck): Seen<'uptime-check'> => ({
  kind: 'uptime-check',
  name: check.displayName ?? '',
  location: null,
  attributes: {
    host: check.monitoredResource?.labels?.['host'] ?? '',
    path: check.httpCheck?.path ?? '/',
    periodS: Number.parseInt(check.period ?? '60', 10),
  },
  labels: labelsOf(check.userLabels),
  state: 'ready',
  createdAt: null,
  ...(check.name === undefined ? {} : { id: check.name }),
});

const bodyOf = (
  { scope }: Google,
  { name, labels, attributes }: Wanted<'uptime-check'>,
): UptimeCheck & { timeout: string } => ({
  displayName: name,
  monitoredResource: { type: 'uptime_url', labels: { project_id: scope.cloudProject, host: attributes.host } },
  httpCheck: { path: attributes.path, port: 443, useSsl: true, validateSsl: true },
  period: `${attributes.periodS}s`,
  timeout: '10s',
  userLabels: { ...labels },
});

export const uptimeCheck: KindDriver<'uptime-check'> = {
  async observe(sight) {
    return (await checksIn(sight)).map(seenOf);
  },
  async create(wanted, { google, signal, say }) {
    say('creating');
    const made = await madeOnce({
      find: async () => (await checksOf(google, signal)).filter(({ displayName }) => displayName === wanted.name),
      create: () =>
        google.http.request<UptimeCheck>('POST', placeOf(google), { body: bodyOf(google, wanted), signal, once: true }),
      remove: async ({ name = '' }) => {
        await google.http.request('DELETE', `${MONITORING}/${name}`, { signal });
      },
    });
    return seenOf(made);
  },
  async update(wanted, seen, work) {
    const { google, signal, say } = work;
    const { host } = seen.attributes;
    // Whom it looks at can never be changed.
    if (host !== wanted.attributes.host || seen.id === undefined) {
      await uptimeCheck.remove(seen, work);
      return uptimeCheck.create(wanted, work);
    }
    say('updating');
    const { monitoredResource: _fixed, ...body } = bodyOf(google, wanted);
    const query = { updateMask: 'displayName,httpCheck.path,period,userLabels' };
    return seenOf(await google.http.request<UptimeCheck>('PATCH', `${MONITORING}/${seen.id}`, { query, body, signal }));
  },
  async remove(gone, { google, signal, say }) {
    say('deleting');
    const id = gone.id ?? (await checksOf(google, signal)).find(({ displayName }) => displayName === gone.name)?.name;
    if (id !== undefined) await ifThere(() => google.http.request('DELETE', `${MONITORING}/${id}`, { signal }));
  },
};
