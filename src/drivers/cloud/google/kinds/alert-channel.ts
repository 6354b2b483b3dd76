import type { Google } from '../google.ts';
import { allPages, ifThere, type KindDriver, labelsOf, type Seen, type Sight, type Wanted } from '../kind-driver.ts';
import { madeOnce } from '../shown-name.ts';
import { MONITORING } from './uptime-check.ts';

/** Of `labels` those that its type needs; ours are in `userLabels`. */
export interface Channel {
  name?: string;
  type?: string;
  displayName?: string;
  labels?: Record<string, string>;
  userLabels?: Record<string, string>;
  enabled?: boolean;
}

const placeOf = ({ scope }: Google): string => `${MONITORING}/projects/${scope.cloudProject}/notificationChannels`;

export const channelsOf = (google: Google, signal: AbortSignal): Promise<Channel[]> =>
  allPages(
    (pageToken) =>
      google.http.request<{ notificationChannels?: Channel[]; nextPageToken?: string }>('GET', placeOf(google), {
        query: { pageSize: 100, pageToken },
        signal,
      }),
    (page) => page.notificationChannels,
  );

export const channelsIn = ({ google, signal, once }: Sight): Promise<Channel[]> =>
  once('alert-channels', () => channelsOf(google, signal));

const seenOf = (channel: Channel): Seen<'alert-channel'> => ({
  kind: 'alert-channel',
  name: channel.displayName ?? '',
  location: null,
  attributes: { email: channel.labels?.['email_address'] ?? '' },
  labels: labelsOf(channel.userLabels),
  state: channel.enabled === false ? 'stopped' : 'ready',
  createdAt: null,
  ...(channel.name === undefined ? {} : { id: channel.name }),
});

const bodyOf = ({ name, labels, attributes }: Wanted<'alert-channel'>): Channel => ({
  type: 'email',
  displayName: name,
  labels: { email_address: attributes.email },
  userLabels: { ...labels },
  enabled: true,
});

export const alertChannel: KindDriver<'alert-channel'> = {
  async observe(sight) {
    // Messengers and pagers that people have connected are none of ours, and hold secrets.
    return (await channelsIn(sight)).filter(({ type }) => type === 'email').map(seenOf);
  },
  async create(wanted, { google, signal, say }) {
    say('creating');
    const made = await madeOnce({
      find: async () => (await channelsOf(google, signal)).filter(({ displayName }) => displayName === wanted.name),
      create: () => google.http.request<Channel>('POST', placeOf(google), { body: bodyOf(wanted), signal, once: true }),
      remove: async ({ name = '' }) => {
        await google.http.request('DELETE', `${MONITORING}/${name}`, { signal });
      },
    });
    return seenOf(made);
  },
  async update(wanted, seen, work) {
    const { google, signal, say } = work;
    if (seen.id === undefined) return alertChannel.create(wanted, work);
    say('updating');
    const query = { updateMask: 'labels,userLabels,enabled' };
    const body = bodyOf(wanted);
    return seenOf(await google.http.request<Channel>('PATCH', `${MONITORING}/${seen.id}`, { query, body, signal }));
  },
  async remove(gone, { google, signal, say }) {
    say('deleting');
    const id = gone.id ?? (await channelsOf(google, signal)).find(({ displayName }) => displayName === gone.name)?.name;
    if (id !== undefined) await ifThere(() => google.http.request('DELETE', `${MONITORING}/${id}`, { signal }));
  },
};
